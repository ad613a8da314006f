// Words that screens put into sentences.
import type { Target } from '#schema'

/** `an annotator`, `a lead`. */
export function a(noun: string): string {
  return `${/^[aeiou]/.test(noun) ? 'an' : 'a'} ${noun}`
}

/** `1 judgement`, `2 judgements`. */
export function many(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`
}

/** How long ago: `3 min ago`. */
export function age(at: string): string {
  const seconds = Math.max(0, (Date.now() - Date.parse(at)) / 1000)
  if (seconds < 60) return 'just now'
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`
  return `${Math.floor(seconds / 86_400)} d ago`
}

/** `3 people each`, `2 to 5 people each`, `3 people on 31 of them and one on the others`. */
export function peopleEach({
  overlap,
  adaptive,
  overlapShare,
  overlapped,
}: {
  overlap: number
  adaptive: { cap: number } | null
  overlapShare: number
  overlapped: number
}): string {
  if (overlapShare < 1) return `${overlap} people on ${overlapped.toLocaleString('en')} of them and one on the others`
  const most = adaptive?.cap ?? overlap
  return `${most === overlap ? overlap : `${overlap} to ${most}`} ${most === 1 ? 'person' : 'people'} each`
}

/** `On natural, the low end of the 95% interval of the change is above -0.05.` */
export function targetInWords({ statistic, bound, comparison, value, level, suite }: Target): string {
  const percent = Number((level * 100).toFixed(4))
  return `On ${suite}, the ${bound} end of the ${percent}% interval of the ${statistic} is ${comparison} ${value}.`
}
