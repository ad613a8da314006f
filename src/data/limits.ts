// Limits on files from outside: each bounds memory or time against a file made to exhaust them. Bytes unless said.

/** One row as it lies in the file: a line, an element of a JSON array, a CSV record. */
export const MOST_ROW_BYTES = 16 * 2 ** 20
/** Objects and arrays inside each other. */
export const MOST_NESTING = 64
/** Members and elements of one row, all levels together: a million keys in 14 MB took 500 MB of memory. */
export const MOST_VALUES = 100_000
/** Rows of a file that is streamed into a version. */
export const MOST_ROWS = 20_000_000
/** Rows held in memory at once: what checks, splits and training read. */
export const MOST_ROWS_HELD = 2_000_000
/** Bytes of a file after decompression. */
export const MOST_BYTES = 8 * 2 ** 30
/** Bytes of text whose rows are held in memory at once. */
export const MOST_BYTES_HELD = 2 ** 30
/** Decompressed to compressed. Text compresses 3 to 10 times, rows of one template up to 50; a bomb 1000. */
export const MOST_RATIO = 100
/** The ratio is looked at once this much came out. */
export const RATIO_FROM_BYTES = 4 * 2 ** 20
/** Cells of a CSV record. */
export const MOST_COLUMNS = 1000
/** Problems listed in one message; the rest are counted. */
export const MOST_PROBLEMS_SHOWN = 10
/** Reading a wrong file stops here. */
export const MOST_PROBLEMS = 1000
