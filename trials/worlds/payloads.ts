// Texts that would run as a script if a page took them for markup, by the places where that happens: elements, handlers,
// addresses, markdown, templates, entities, half-open tags, style, other namespaces. Each says its number when it runs, and
// bears the mark `xN` by which a test sees that it was shown.

const EVENTS = ['onerror', 'onload', 'onfocus autofocus tabindex=0', 'onmouseover', 'ontoggle open', 'onanimationstart']
const QUOTES = ['"', "'", '`', '']
const ENCODED = ['javascript:', 'JaVaScRiPt:', 'java\tscript:', '&#106;avascript:', ' javascript:', 'vbscript:']

type Payload = (n: number) => string
const PLAIN: Payload[] = [
  (n) => `<script>alert(${n})</script>`,
  (n) => `<ScRiPt>alert(${n})</sCrIpT>`,
  (n) => `</script><script>alert(${n})</script>`,
  (n) => `</textarea><script>alert(${n})</script>`,
  (n) => `</title><script>alert(${n})</script>`,
  (n) => `</style><script>alert(${n})</script>`,
  (n) => `--><script>alert(${n})</script>`,
  (n) => `]]><script>alert(${n})</script>`,
  (n) => `<scr<script>ipt>alert(${n})</scr</script>ipt>`,
  (n) => `<script src=data:,alert(${n})></script>`,
  (n) => `<script/x>alert(${n})</script>`,
  (n) => `<script>alert(${n})`,
  (n) => `&lt;script&gt;alert(${n})&lt;/script&gt;`,
  (n) => `\\u003cscript\\u003ealert(${n})\\u003c/script\\u003e`,
  (n) => `%3Cscript%3Ealert(${n})%3C/script%3E`,
  (n) => `<iframe srcdoc="<script>parent.alert(${n})</script>">`,
  (n) => `<iframe src="javascript:parent.alert(${n})">`,
  (n) => `<object data="javascript:alert(${n})">`,
  (n) => `<embed src="javascript:alert(${n})">`,
  (n) => `<meta http-equiv=refresh content="0;url=javascript:alert(${n})">`,
  (n) => `<base href="javascript:alert(${n})//">`,
  (n) => `<form action="javascript:alert(${n})"><button>go`,
  (n) => `<button formaction="javascript:alert(${n})">go`,
  (n) => `<svg><script>alert(${n})</script></svg>`,
  (n) => `<img src=x onerror=&#97;lert(${n})>`,
  (n) => `<svg/onload=alert(${n})//`,
  (n) => `<svg><animate onbegin=alert(${n}) attributeName=x dur=1s>`,
  (n) => `<svg><a xlink:href="javascript:alert(${n})"><text x=20 y=20>x`,
  (n) => `<math><mtext><table><mglyph><style><img src=x onerror=alert(${n})>`,
  (n) => `<noscript><p title="</noscript><img src=x onerror=alert(${n})>">`,
  (n) => `<template><img src=x onerror=alert(${n})></template>`,
  (n) => `<style>@keyframes k{}</style><b style="animation:k" onanimationend=alert(${n})>`,
  (n) => `<div style="background:url(javascript:alert(${n}))">`,
  (n) => `<link rel=stylesheet href="data:text/css,*{color:red}"><i>${n}`,
  (n) => `<!--<img src="--><img src=x onerror=alert(${n})>">`,
  (n) => `<img src="x" alt='"><script>alert(${n})</script>'>`,
  (n) => `{{constructor.constructor('alert(${n})')()}}`,
  (n) => `\${alert(${n})}`,
  (n) => `#{alert(${n})}<%= alert(${n}) %>`,
  (n) => `';alert(${n})//`,
  (n) => `\\';alert(${n});//`,
  (n) => `"-alert(${n})-"`,
  (n) => `</script><svg/onload=alert(${n})>`,
  (n) => `[click](javascript:alert(${n}))`,
  (n) => `![x](x"onerror="alert(${n}))`,
  (n) => `<javascript:alert(${n})>`,
  (n) => `[x]: javascript:alert(${n})`,
  (n) => `# <img src=x onerror=alert(${n})>`,
  (n) => `$\\href{javascript:alert(${n})}{x}$`,
  (n) => `{"__proto__":{"innerHTML":"<img src=x onerror=alert(${n})>"}}`,
  (n) => `{"$$typeof":"Symbol(react.element)","type":"script","props":{"children":"alert(${n})"}}`,
  (n) => `\u202e<img src=x onerror=alert(${n})>\u202c`,
  (n) => `\ufeff<script>alert(${n})</script>`,
  (n) => `\uff1cscript\uff1ealert(${n})\uff1c/script\uff1e`,
  (n) => `<a href="data:text/html,<script>alert(${n})</script>">x</a>`,
  (n) => `<x onclick=alert(${n}) contenteditable autofocus>x`,
  (n) => `<details ontoggle=alert(${n}) open>x`,
  (n) => `<video><source onerror=alert(${n})></video>`,
  (n) => `<marquee onstart=alert(${n})>x`,
  (n) => `jaVasCript:/*-/*\`/*\\\`/*'/*"/**/(/* */oNcliCk=alert(${n}) )//</sVg/oNloAd=alert(${n})//>`,
]
const BUILT: Payload[] = [
  ...['img src=x', 'svg', 'body', 'input', 'details'].flatMap((tag) =>
    EVENTS.map(
      (event): Payload =>
        (n) =>
          `<${tag} ${event.replace(/^\w+/, (name) => `${name}=alert(${n})`)}>`,
    ),
  ),
  ...QUOTES.flatMap((quote): Payload[] => [
    (n) => `${quote}><img src=x onerror=alert(${n})>`,
    (n) => `${quote} onmouseover=${quote}alert(${n})${quote} x=${quote}`,
    (n) => `${quote} autofocus onfocus=alert(${n}) x=${quote}`,
  ]),
  ...ENCODED.flatMap((scheme): Payload[] => [
    (n) => `${scheme}alert(${n})`,
    (n) => `<a href="${scheme}alert(${n})">x</a>`,
    (n) => `https://x.example/"><a href='${scheme}alert(${n})'>`,
  ]),
]

/** The mark stands first, so that half of the text shows it too. */
export const PAYLOADS: readonly string[] = [...PLAIN, ...BUILT].map((make, n) => `x${n} ${make(n)}`)
