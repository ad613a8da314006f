import { expect, test } from 'vitest'
import { findPersonal } from './personal.ts'

test.each([
  ['mail me at Jo.Smith+x@mail.example.co.uk!', 'e-mail', 'J...@mail.example.co.uk'],
  ['card 4111 1111 1111 1111 please', 'payment card', '...1111'],
  ['378282246310005', 'payment card', '...0005'],
  ['IBAN DE89 3704 0044 0532 0130 00.', 'IBAN', '...3000'],
  ['GB82WEST12345698765432', 'IBAN', '...5432'],
  ['my number is 123-45-6789', 'social security number', '...6789'],
  ['call +44 20 7946 0958', 'telephone', '...0958'],
  ['call +1 (415) 555-2671', 'telephone', '...2671'],
  ['call (415) 555-2671 now', 'telephone', '...2671'],
  ['call 415-555-2671', 'telephone', '...2671'],
  ['call 020 7946 0958', 'telephone', '...0958'],
])('%s holds a %s', (text, kind, masked) => {
  expect(findPersonal(text).map((p) => [p.kind, p.masked])).toEqual([[kind, masked]])
})

test.each([
  'order 4111111111111112 of 2026-11-24 at 10:50, ref 12345678',
  'version 1.2.3.4, 10 000 pieces for 1 250.00, 000-12-3456',
  'DE89 3704 0044 0532 0130 02 is no account; a@b is no address',
  'items 12-345 and 1,234,567.89; page 100-200',
])('%s holds none', (text) => {
  expect(findPersonal(text)).toEqual([])
})

test('findings do not overlap and come in order', () => {
  const text = 'a.b@c.org, then 4111-1111-1111-1111, then +49 30 1234567'
  expect(findPersonal(text).map((p) => text.slice(p.start, p.end))).toEqual([
    'a.b@c.org',
    '4111-1111-1111-1111',
    '+49 30 1234567',
  ])
})

test('long texts of one character end quickly', () => {
  for (const c of ['a', '1', '+1 ', '1 ', 'a.', '@a.', '1-', 'AA11 ', '('])
    expect(findPersonal(c.repeat(50_000)).length).toBeGreaterThanOrEqual(0)
})
