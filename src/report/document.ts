// A page as one file that asks for nothing. The content policy allows this style and this script by their hashes and nothing
// else, so a completion that slipped through escaping could still neither run nor load.
import { createHash } from 'node:crypto'
import { HOVER_SCRIPT } from './hover.ts'
import { html, trusted } from './markup.ts'
import type { Markup } from './markup.ts'
import { STYLE } from './style.ts'

/** `numbers`: the file beside it that holds them. */
export function documentOf(o: { title: string; hone: string; top: Markup; body: Markup; numbers: string }): string {
  const policy = `default-src 'none'; style-src ${hash(STYLE)}; script-src ${hash(HOVER_SCRIPT)}; base-uri 'none'; form-action 'none'`
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${o.title}</title>
<style>${trusted(STYLE)}</style>
</head>
<body>
${o.top}
<main>
${o.body}
</main>
<footer>Made by hone ${o.hone}. The numbers of this page lie in ${o.numbers} beside it.</footer>
<script>${trusted(HOVER_SCRIPT)}</script>
</body>
</html>
`
  return page.text
}

function hash(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}
