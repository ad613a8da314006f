// Limits on files from outside: each bounds memory or time against a file made to exhaust them. Bytes unless said.

/** One row as it lies in the file: a line, an element of a JSON array, a CSV record; of Parquet, its texts. */
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
/** Cells of a CSV record, and columns of Parquet, those inside others counted. */
export const MOST_COLUMNS = 1000
/** Problems listed in one message; the rest are counted. */
export const MOST_PROBLEMS_SHOWN = 10
/** Reading a wrong file stops here. */
export const MOST_PROBLEMS = 1000
/** The end of a Parquet file, which names its columns and where they lie. */
export const MOST_FOOTER_BYTES = 16 * 2 ** 20
/** Pages and dictionaries of a Parquet file in memory at once, decompressed. Most writers make pages of 1 MiB, a column each. */
export const MOST_PAGES_HELD_BYTES = 256 * 2 ** 20
/** Rows as text to the Parquet file they lie in. Equal values take next to nothing, so it is far from that of gzip. */
export const MOST_PARQUET_RATIO = 1000
/** That ratio is looked at once this much came out. */
export const PARQUET_RATIO_FROM_BYTES = 64 * 2 ** 20
