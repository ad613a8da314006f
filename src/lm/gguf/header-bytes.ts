// The header of a GGUF file, read in order. How long it is shows only while it is read: so the bytes held grow by
// doubling, never beyond the file's own length, and no length named in the file is believed before it is compared with
// what is left of the file.
import fs from 'node:fs'
import { DataError } from '#errors'

/** The largest known vocabularies take 20 MB. */
export const HEADER_LIMIT = 256 * 2 ** 20
const FIRST_READ = 2 ** 16
/** One system call reads less than 2 GiB. */
const MOST_AT_ONCE = 2 ** 30

export type HeaderBytes = {
  file: string
  /** Where the next value begins, in bytes from the start of the file. */
  at: number
  /** Bytes of the file after `at`. */
  left(): number
  /** The next `length` bytes; what is taken stays valid. Beyond the file's end: a DataError that names `what`. */
  take(length: number, what: string): Uint8Array
  /** Bytes already taken, from `start` to `at`. */
  since(start: number): Uint8Array
}

/** Reads an open file of `size` bytes from its start. */
export function headerBytes(fd: number, size: number, file: string): HeaderBytes {
  let held: Uint8Array = new Uint8Array(0)
  const hold = (end: number, what: string) => {
    if (end <= held.length) return
    if (end > size) throw new DataError(`${what} needs ${end} bytes of a file of ${size}; is it cut off?`, { file })
    if (end > HEADER_LIMIT) throw new DataError(`expected a header of at most ${HEADER_LIMIT} bytes`, { file })
    const grown = new Uint8Array(Math.min(size, HEADER_LIMIT, Math.max(end, 2 * held.length, FIRST_READ)))
    grown.set(held)
    readInto(fd, grown.subarray(held.length), { start: held.length, file })
    held = grown
  }
  return {
    file,
    at: 0,
    left() {
      return size - this.at
    },
    take(length, what) {
      const start = this.at
      hold(start + length, what)
      this.at = start + length
      return held.subarray(start, this.at)
    },
    since(start) {
      return held.subarray(start, this.at)
    },
  }
}

/** Opens a file to read; one that cannot be is a DataError. */
export function openFile(file: string): number {
  try {
    return fs.openSync(file, 'r')
  } catch (cause) {
    throw new DataError('cannot be opened; expected a GGUF file', { file }, { cause })
  }
}

/** Fills `into` from byte `start` of the file. */
export function readInto(fd: number, into: Uint8Array, { start, file }: { start: number; file: string }): void {
  for (let done = 0; done < into.length; ) {
    const read = readSome(fd, into.subarray(done, done + MOST_AT_ONCE), { start: start + done, file })
    if (read === 0) throw new DataError(`ended at byte ${start + done}; it was cut off while in use`, { file })
    done += read
  }
}

function readSome(fd: number, into: Uint8Array, { start, file }: { start: number; file: string }): number {
  try {
    return fs.readSync(fd, into, 0, into.length, start)
  } catch (cause) {
    throw new DataError('cannot be read; expected a GGUF file', { file }, { cause })
  }
}
