// Personal data by its form: e-mail addresses, telephone numbers, payment cards (Luhn), IBANs (ISO 13616, mod 97) and
// US social security numbers. Names and addresses have no form and are left out. Every expression is linear in the text.

export type PersonalKind = 'e-mail' | 'telephone' | 'payment card' | 'IBAN' | 'social security number'
/** `masked` names the finding in reports without repeating it. */
export type Personal = { kind: PersonalKind; start: number; end: number; masked: string }

const EMAIL = /[\w.%+-]{1,64}@(?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,24}\b/gi
const IBAN = /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b/g
const CARD = /(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w-])/g
const SOCIAL = /(?<![\w-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])/g
/** +country, (area), or three or more groups: an order number is no telephone number. */
const PHONE =
  /(?<![\w.+-]|\d )(?:\+\d{1,3}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d{1,4}(?:[ .-]?\d{2,4}){1,4}|\(\d{2,4}\)[ .-]?\d{3,4}[ .-]?\d{3,4}|0?\d{2,4}[ .-]\d{3,4}[ .-]\d{3,4})(?![\w-]| \d)/g

/** Findings in order of their place; none overlap. */
export function findPersonal(text: string): Personal[] {
  const found: Personal[] = []
  const look = (kind: PersonalKind, form: RegExp, isReal: (match: string) => boolean) => {
    for (const match of text.matchAll(form)) {
      const start = match.index
      const end = start + match[0].length
      const isFree = found.every((other) => end <= other.start || start >= other.end)
      if (isFree && isReal(match[0])) found.push({ kind, start, end, masked: mask(kind, match[0]) })
    }
  }
  look('e-mail', EMAIL, () => true)
  look('IBAN', IBAN, isIban)
  look('payment card', CARD, isCard)
  look('social security number', SOCIAL, () => true)
  look('telephone', PHONE, (match) => isBetween(digitsOf(match).length, 7, 15))
  return found.sort((a, b) => a.start - b.start)
}

function isCard(match: string): boolean {
  const digits = digitsOf(match)
  if (!isBetween(digits.length, 13, 19) || /^(\d)\1+$/.test(digits)) return false
  let sum = 0
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits[digits.length - 1 - i])
    const doubled = i % 2 ? digit * 2 : digit
    sum += doubled > 9 ? doubled - 9 : doubled
  }
  return sum % 10 === 0
}

function isIban(match: string): boolean {
  const compact = match.replaceAll(' ', '')
  if (!isBetween(compact.length, 15, 34)) return false
  let remainder = 0
  for (const c of compact.slice(4) + compact.slice(0, 4)) {
    const value = Number.parseInt(c, 36)
    remainder = (remainder * (value > 9 ? 100 : 10) + value) % 97
  }
  return remainder === 1
}

function mask(kind: PersonalKind, match: string): string {
  if (kind === 'e-mail') return `${match[0]}...@${match.slice(match.indexOf('@') + 1)}`
  return `...${match.replace(/[^A-Za-z0-9]/g, '').slice(-4)}`
}

function digitsOf(text: string): string {
  return text.replace(/\D/g, '')
}

function isBetween(value: number, low: number, high: number): boolean {
  return value >= low && value <= high
}
