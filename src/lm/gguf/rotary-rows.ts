// Order of the rows in query and key matrices. Rotary turns pairs of numbers: in Hugging Face's order the pair of row j
// of a head of D rows is row j + D/2, in GGUF's (Llama architecture) the two are neighbours.

/** Rows from GGUF's order to Hugging Face's. `bytes`: rows of equal length, `heads` times D of them. */
export function halvesApart(bytes: Uint8Array, o: { rows: number; heads: number }): Uint8Array {
  return reorder(bytes, { ...o, from: (j, d) => (j < d / 2 ? 2 * j : 2 * (j - d / 2) + 1) })
}

/** Rows from Hugging Face's order to GGUF's. */
export function sideBySide(bytes: Uint8Array, o: { rows: number; heads: number }): Uint8Array {
  return reorder(bytes, { ...o, from: (j, d) => (j % 2) * (d / 2) + Math.floor(j / 2) })
}

function reorder(
  bytes: Uint8Array,
  { rows, heads, from }: { rows: number; heads: number; from: (row: number, headRows: number) => number },
): Uint8Array {
  const length = bytes.length / rows
  const headRows = rows / heads
  const result = new Uint8Array(bytes.length)
  for (let row = 0; row < rows; row++) {
    const start = (row - (row % headRows) + from(row % headRows, headRows)) * length
    result.set(bytes.subarray(start, start + length), row * length)
  }
  return result
}
