// HTML by tagged templates that escape whatever they are given: only another `html` template passes through as it is.
// Samples are hostile text. Control characters and bidirectional overrides would act on the page around them, so they
// are shown as code points instead.

/** Text that is already HTML: made by `html` and `trusted` only. */
export class Markup {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

export type Part = Markup | string | number | undefined | false | Part[]

/** Escapes every part that is not Markup; arrays are joined; undefined and false leave nothing. */
export function html(strings: TemplateStringsArray, ...parts: Part[]): Markup {
  let text = strings[0]!
  for (let i = 0; i < parts.length; i++) text += flat(parts[i]) + strings[i + 1]!
  return new Markup(text)
}

/** For constants of this room (the style, the script) that are HTML already. */
export function trusted(text: string): Markup {
  return new Markup(text)
}

function flat(part: Part): string {
  if (part === undefined || part === false) return ''
  if (part instanceof Markup) return part.text
  if (Array.isArray(part)) return part.map(flat).join('')
  return escape(String(part))
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** C0 and C1 controls but tab and line feed, and the characters that override the direction of what follows. */
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

export function escape(text: string): string {
  return text
    .toWellFormed()
    .replace(UNSEEN, (c) => `\u27e8U+${c.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}\u27e9`)
    .replace(/[&<>"']/g, (c) => ENTITIES[c]!)
}
