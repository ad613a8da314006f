// What all pictures share: the svg element with its spoken description, and places rounded to a tenth of a pixel.
import { html } from '../markup.ts'
import type { Markup } from '../markup.ts'

/** Names of colours in the style sheet; each has a light and a dark value, told apart by colour-blind eyes too. */
export type Colour = 'proxy' | 'check' | 'kl' | 'sft' | 'ok' | 'bad' | 'ink' | 'soft' | 'term-a' | 'term-b' | 'term-c'

export type Size = { width: number; height: number }

/** `near`: the axis along which the tooltip looks for the nearest point; its cross-hair runs across the other. */
export function svg(
  { width, height }: Size,
  { describe, near }: { describe: string; near?: 'x' | 'y' },
  body: Markup[],
) {
  const cross = near && html`<line class="cross" x1="-9" x2="-9" y1="-9" y2="-9"/>`
  return html`<svg class="w${width}" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${describe}"${near && html` data-near="${near}"`} xmlns="http://www.w3.org/2000/svg">${body}${cross}</svg>`
}

/** A coordinate; what lies far off the picture stays just as far off it. */
export function place(value: number): string {
  return Number.isNaN(value) ? '0' : String(Math.round(Math.min(1e5, Math.max(-1e5, value)) * 10) / 10)
}

/** A path through the points; a point that is null breaks it. */
export function path(points: ([number, number] | null)[]): string {
  let d = ''
  let isOpen = false
  for (const p of points) {
    if (p) d += `${isOpen ? 'L' : 'M'}${place(p[0])} ${place(p[1])}`
    isOpen = p !== null
  }
  return d
}

/** What the pointer finds: `says` is the title without a script and the tooltip with one. */
export function target(
  x: number,
  y: number,
  { says, radius = 2.2, colour }: { says: string; radius?: number; colour: Colour },
) {
  return html`<circle class="pt c-${colour}" cx="${place(x)}" cy="${place(y)}" r="${radius}"><title>${says}</title></circle>`
}

/** Moves labels apart so that none lies within `space` of the next, keeping their order; answers in the given order. */
export function apart(wanted: number[], space: number, [low, high]: [number, number]): number[] {
  const order = wanted.map((_, i) => i).sort((a, b) => wanted[a]! - wanted[b]!)
  const placed = [...wanted]
  for (const [k, i] of order.entries()) placed[i] = Math.max(placed[i]!, k === 0 ? low : placed[order[k - 1]!]! + space)
  for (const [k, i] of [...order].reverse().entries())
    placed[i] = Math.min(placed[i]!, k === 0 ? high : placed[order[order.length - k]!]! - space)
  return placed
}

/** The label, cut where it would be wider than `room` px. */
export function fitted(text: string, room: number, size = 12): string {
  const most = Math.max(1, Math.floor(room / (size * 0.54)))
  return text.length > most ? `${text.slice(0, most - 1)}\u2026` : text
}

/** Rough width of a label in the page's font, px. */
export function labelWidth(text: string, size = 12): number {
  return text.length * size * 0.54
}
