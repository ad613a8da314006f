// The printable characters under which byte-level BPE stores bytes in tokenizer.json (GPT-2's mapping, Radford et al.
// 2019): visible Latin-1 characters stand for themselves, the other 68 bytes for characters from U+0100 on.

const VISIBLE: readonly [number, number][] = [
  [0x21, 0x7e],
  [0xa1, 0xac],
  [0xae, 0xff],
]

/** The character of each byte, by byte. */
export const CHARACTER_OF_BYTE: readonly string[] = buildAlphabet()

const BYTE_OF_CHARACTER: ReadonlyMap<string, number> = new Map(CHARACTER_OF_BYTE.map((c, byte) => [c, byte]))

/** Text as the vocabulary spells it: its UTF-8 bytes, a character each. */
export function spell(text: string): string {
  let spelled = ''
  for (const byte of Buffer.from(text)) spelled += CHARACTER_OF_BYTE[byte]!
  return spelled
}

/** The bytes of a vocabulary entry; undefined if a character stands for no byte. */
export function unspell(spelled: string): Uint8Array | undefined {
  const bytes: number[] = []
  for (const character of spelled) {
    const byte = BYTE_OF_CHARACTER.get(character)
    if (byte === undefined) return undefined
    bytes.push(byte)
  }
  return Uint8Array.from(bytes)
}

function buildAlphabet(): string[] {
  const isVisible = (byte: number) => VISIBLE.some(([first, last]) => byte >= first && byte <= last)
  let next = 0x100
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isVisible(byte) ? byte : next++))
}
