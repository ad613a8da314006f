// A disk that refuses this process's n-th call that would change files under a folder: open for writing, write, sync, rename,
// link, make a folder, cut. A write that fails has put half of its bytes down first, as a full disk does.
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { resolve } from 'node:path'

export type Failing = {
  /** Calls counted so far, the refused one among them. */
  calls(): number
  hasRefused(): boolean
  stop(): void
}

/** `n` counts from 1; Infinity counts only. `except`: paths that contain it are let through. */
export function failCall(
  root: string,
  { n, code, except }: { n: number; code: 'ENOSPC' | 'EIO'; except: string },
): Failing {
  const real = { ...fs }
  const top = `${resolve(root)}/`
  const pathOf = new Map<number, string>()
  let calls = 0
  const isOurs = (path: unknown): boolean => {
    const whole = resolve(String(path))
    return `${whole}/`.startsWith(top) && !whole.includes(except)
  }
  const isDue = (): boolean => ++calls === n
  const failure = (syscall: string): Error =>
    Object.assign(new Error(`${code}: injected, ${syscall}`), { code, syscall })
  const guard = (path: unknown, syscall: string): void => {
    if (isOurs(path) && isDue()) throw failure(syscall)
  }
  const writes = (flags: unknown): boolean =>
    typeof flags === 'number' ? (flags & 3) !== 0 : /[wa+]/.test(String(flags))
  const patched = {
    openSync(path: string, flags: string | number = 'r', ...rest: []) {
      if (writes(flags)) guard(path, 'open')
      const fd = real.openSync(path, flags, ...rest)
      pathOf.set(fd, path)
      return fd
    },
    writeSync(fd: number, data: Uint8Array, offset = 0, length = data.byteLength - offset, position?: number | null) {
      if (!isOurs(pathOf.get(fd)) || !isDue()) return real.writeSync(fd, data, offset, length, position)
      real.writeSync(fd, data, offset, Math.floor(length / 2), position)
      throw failure('write')
    },
    writeFileSync(file: string | number, data: string | Uint8Array, options?: object) {
      if (!isOurs(typeof file === 'number' ? pathOf.get(file) : file)) return real.writeFileSync(file, data, options)
      const bytes = typeof data === 'string' ? Buffer.from(data) : data
      if (!isDue()) return real.writeFileSync(file, bytes, options)
      real.writeFileSync(file, bytes.subarray(0, bytes.byteLength >> 1), options)
      throw failure('write')
    },
    fsyncSync(fd: number) {
      guard(pathOf.get(fd), 'fsync')
      real.fsyncSync(fd)
    },
    ftruncateSync(fd: number, length?: number) {
      guard(pathOf.get(fd), 'ftruncate')
      real.ftruncateSync(fd, length)
    },
    closeSync(fd: number) {
      real.closeSync(fd)
      pathOf.delete(fd)
    },
    renameSync(from: string, to: string) {
      guard(to, 'rename')
      real.renameSync(from, to)
    },
    linkSync(from: string, to: string) {
      guard(to, 'link')
      real.linkSync(from, to)
    },
    mkdirSync(path: string, options?: object) {
      if (!real.existsSync(path)) guard(path, 'mkdir')
      return real.mkdirSync(path, options)
    },
    mkdtempSync(prefix: string) {
      guard(prefix, 'mkdir')
      return real.mkdtempSync(prefix)
    },
    // What streams write by.
    open(path: string, flags: string, mode: number, done: (error: Error | null, fd?: number) => void) {
      if (writes(flags) && isOurs(path) && isDue()) return process.nextTick(done, failure('open'))
      real.open(path, flags, mode, (error, fd) => {
        if (!error) pathOf.set(fd, path)
        done(error, fd)
      })
    },
    write(fd: number, ...rest: unknown[]) {
      if (isOurs(pathOf.get(fd)) && isDue()) return process.nextTick(rest.at(-1) as () => void, failure('write'))
      ;(real.write as (...all: unknown[]) => void)(fd, ...rest)
    },
    writev(fd: number, ...rest: unknown[]) {
      if (isOurs(pathOf.get(fd)) && isDue()) return process.nextTick(rest.at(-1) as () => void, failure('writev'))
      ;(real.writev as (...all: unknown[]) => void)(fd, ...rest)
    },
  }
  Object.assign(fs, patched)
  syncBuiltinESMExports()
  return {
    calls: () => calls,
    hasRefused: () => calls >= n,
    stop() {
      Object.assign(fs, Object.fromEntries(Object.keys(patched).map((name) => [name, real[name as 'openSync']])))
      syncBuiltinESMExports()
    },
  }
}
