// A SIMULATION of power cuts. While it records, every call that changes files under a folder is noted; of any moment of the
// record it then makes the folder that a power cut could have left: what was fsynced is there, of everything else each write
// (whole, in part or not at all) and each change of a folder's entries is kept or dropped by chance. It is stricter than the
// file systems in use: an fsync of a file does not save its name, and entries of one folder may be lost in any combination.
// Left out: disks that lie about fsync, and files that are not written through node:fs.
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { basename, dirname, join, resolve } from 'node:path'
import type { Generator } from '#stats'

type Inode = { id: number; isFolder: boolean }
type Event =
  | { kind: 'write'; inode: Inode; at: number; bytes: Buffer }
  | { kind: 'truncate'; inode: Inode; length: number }
  | { kind: 'sync'; inode: Inode }
  /** One change of names that happens whole or not at all, in each folder. */
  | { kind: 'names'; folder: Inode; set: [name: string, inode: Inode | undefined][] }
  | { kind: 'acknowledged'; what: string }

export type Record = {
  readonly events: readonly Event[]
  /** What lay there before is on the disk from here on. */
  readonly begin: number
  /** What somebody was told is done. */
  acknowledge(what: string): void
  stop(): void
  /** What was acknowledged before a moment, in order. */
  acknowledgedBefore(moment: number): string[]
  /** Makes the folder as a cut at that moment could have left it; without `chance` everything is kept. */
  leave(moment: number, to: string, chance?: Generator): void
}

/** Records what happens under `root`, an existing folder. One record at a time. */
export function recordDisk(root: string): Record {
  const top = resolve(root)
  const events: Event[] = []
  let inodes = 0
  const newInode = (isFolder: boolean): Inode => ({ id: inodes++, isFolder })
  const rootInode = newInode(true)
  /** As it is now, with everything that was done. */
  const entries = new Map<number, Map<string, Inode>>([[rootInode.id, new Map()]])
  const open = new Map<number, { inode: Inode; position: number; isAppending: boolean; path: string }>()
  const isInside = (path: string): boolean => path === top || path.startsWith(`${top}/`)
  const find = (path: string): Inode | undefined => {
    if (path === top) return rootInode
    const parent = find(dirname(path))
    return parent && entries.get(parent.id)?.get(basename(path))
  }
  const names = (folder: Inode, set: [string, Inode | undefined][]): void => {
    const now = entries.get(folder.id)!
    for (const [name, inode] of set) {
      if (inode) now.set(name, inode)
      else now.delete(name)
    }
    events.push({ kind: 'names', folder, set })
  }
  const make = (path: string, isFolder: boolean): Inode => {
    const inode = newInode(isFolder)
    if (isFolder) entries.set(inode.id, new Map())
    names(find(dirname(path))!, [[basename(path), inode]])
    return inode
  }
  /** What lay there before the record began is on the disk. */
  const adopt = (path: string, inode: Inode): void => {
    for (const entry of real.readdirSync(path, { withFileTypes: true })) {
      const inner = join(path, entry.name)
      const made = make(inner, entry.isDirectory())
      if (entry.isDirectory()) adopt(inner, made)
      else
        events.push(
          { kind: 'write', inode: made, at: 0, bytes: real.readFileSync(inner) },
          { kind: 'sync', inode: made },
        )
    }
    events.push({ kind: 'sync', inode })
  }
  const sizeOf = new Map<number, number>()
  const write = (inode: Inode, at: number, bytes: Uint8Array): void => {
    sizeOf.set(inode.id, Math.max(sizeOf.get(inode.id) ?? 0, at + bytes.byteLength))
    events.push({ kind: 'write', inode, at, bytes: Buffer.from(bytes) })
  }

  const real = { ...fs }
  adopt(top, rootInode)
  for (const event of events) if (event.kind === 'write') sizeOf.set(event.inode.id, event.bytes.byteLength)
  const text = (path: unknown): string => resolve(String(path))
  const removeTree = (path: string): void => {
    const inode = find(path)
    if (!inode) return
    if (inode.isFolder) for (const name of entries.get(inode.id)!.keys()) removeTree(join(path, name))
    names(find(dirname(path))!, [[basename(path), undefined]])
  }
  const patched = {
    openSync(path: string, flags: string | number = 'r', ...rest: []) {
      const fd = real.openSync(path, flags, ...rest)
      const place = text(path)
      if (!isInside(place)) return fd
      const inode = find(place) ?? make(place, real.fstatSync(fd).isDirectory())
      if (String(flags).startsWith('w') && (sizeOf.get(inode.id) ?? 0) > 0) {
        events.push({ kind: 'truncate', inode, length: 0 })
        sizeOf.set(inode.id, 0)
      }
      open.set(fd, { inode, position: 0, isAppending: String(flags).startsWith('a'), path: place })
      return fd
    },
    writeSync(fd: number, data: Uint8Array | string, offset?: number, length?: number, position?: number | null) {
      const file = open.get(fd)
      const bytes =
        typeof data === 'string' ? Buffer.from(data) : Buffer.from(data.buffer, data.byteOffset, data.byteLength)
      const from = typeof data === 'string' ? 0 : (offset ?? 0)
      const written = real.writeSync(fd, bytes, from, typeof data === 'string' ? bytes.length : length, position)
      if (file) {
        const at = position ?? (file.isAppending ? (sizeOf.get(file.inode.id) ?? 0) : file.position)
        write(file.inode, at, bytes.subarray(from, from + written))
        if (position === undefined || position === null) file.position = at + written
      }
      return written
    },
    writeFileSync(file: string | number, data: string | Uint8Array, options?: object) {
      if (typeof file !== 'number' && !isInside(text(file))) return real.writeFileSync(file, data, options)
      const flag = (options as { flag?: string } | undefined)?.flag ?? 'w'
      const fd = typeof file === 'number' ? file : fs.openSync(file, flag)
      const bytes = typeof data === 'string' ? Buffer.from(data) : data
      for (let done = 0; done < bytes.byteLength; ) done += fs.writeSync(fd, bytes, done, bytes.byteLength - done)
      if ((options as { flush?: boolean } | undefined)?.flush) fs.fsyncSync(fd)
      if (typeof file !== 'number') fs.closeSync(fd)
    },
    fsyncSync(fd: number) {
      real.fsyncSync(fd)
      const file = open.get(fd)
      if (file) events.push({ kind: 'sync', inode: file.inode })
    },
    ftruncateSync(fd: number, length = 0) {
      real.ftruncateSync(fd, length)
      const file = open.get(fd)
      if (!file) return
      sizeOf.set(file.inode.id, length)
      events.push({ kind: 'truncate', inode: file.inode, length })
    },
    closeSync(fd: number) {
      real.closeSync(fd)
      open.delete(fd)
    },
    renameSync(from: string, to: string) {
      real.renameSync(from, to)
      const [a, b] = [text(from), text(to)]
      if (!isInside(a) || !isInside(b)) return
      const inode = find(a)!
      const [source, target] = [find(dirname(a))!, find(dirname(b))!]
      if (source === target)
        return names(source, [
          [basename(a), undefined],
          [basename(b), inode],
        ])
      names(target, [[basename(b), inode]])
      names(source, [[basename(a), undefined]])
    },
    linkSync(from: string, to: string) {
      real.linkSync(from, to)
      if (isInside(text(to))) names(find(dirname(text(to)))!, [[basename(text(to)), find(text(from))!]])
    },
    unlinkSync(path: string) {
      real.unlinkSync(path)
      if (isInside(text(path))) removeTree(text(path))
    },
    rmdirSync(path: string) {
      real.rmdirSync(path)
      if (isInside(text(path))) removeTree(text(path))
    },
    rmSync(path: string, options?: object) {
      real.rmSync(path, options)
      if (isInside(text(path))) removeTree(text(path))
    },
    mkdirSync(path: string, options?: object) {
      const made = real.mkdirSync(path, options)
      const place = text(path)
      if (!isInside(place)) return made
      const missing: string[] = []
      for (let at = place; !find(at); at = dirname(at)) missing.unshift(at)
      for (const folder of missing) make(folder, true)
      return made
    },
    mkdtempSync(prefix: string) {
      const made = real.mkdtempSync(prefix)
      if (isInside(text(made))) make(text(made), true)
      return made
    },
    copyFileSync(from: string, to: string) {
      if (!isInside(text(to))) return real.copyFileSync(from, to)
      fs.writeFileSync(to, real.readFileSync(from))
    },
  }
  Object.assign(fs, patched)
  syncBuiltinESMExports()

  return {
    events,
    begin: events.length,
    acknowledge: (what) => void events.push({ kind: 'acknowledged', what }),
    stop() {
      Object.assign(fs, Object.fromEntries(Object.keys(patched).map((name) => [name, real[name as 'openSync']])))
      syncBuiltinESMExports()
    },
    acknowledgedBefore: (moment) =>
      events.slice(0, moment).flatMap((event) => (event.kind === 'acknowledged' ? [event.what] : [])),
    leave(moment, to, chance) {
      const left = stateAt(events.slice(0, moment), rootInode, chance)
      real.mkdirSync(to, { recursive: true })
      put(left, rootInode, to, real)
    },
  }
}

type State = { names: Map<number, Map<string, Inode>>; data: Map<number, Buffer> }

/** What was synced, and of what came after the last sync what chance keeps. */
function stateAt(events: readonly Event[], root: Inode, chance: Generator | undefined): State {
  const pending = new Map<number, Event[]>()
  const state: State = { names: new Map([[root.id, new Map()]]), data: new Map() }
  const flush = (id: number, keep: (event: Event) => Event | undefined): void => {
    for (const event of pending.get(id) ?? []) apply(state, keep(event))
    pending.delete(id)
  }
  for (const event of events) {
    if (event.kind === 'acknowledged') continue
    const id = event.kind === 'names' ? event.folder.id : event.inode.id
    if (event.kind === 'sync') flush(id, (kept) => kept)
    else pending.set(id, [...(pending.get(id) ?? []), event])
  }
  for (const id of pending.keys()) flush(id, (event) => (chance ? maybe(event, chance) : event))
  return state
}

/** A third of the writes are torn. */
function maybe(event: Event, chance: Generator): Event | undefined {
  const draw = chance.uniform()
  if (event.kind !== 'write') return draw < 0.5 ? event : undefined
  if (draw < 1 / 3) return undefined
  if (draw < 2 / 3) return event
  return { ...event, bytes: event.bytes.subarray(0, Math.floor(chance.uniform() * event.bytes.length)) }
}

function apply({ names, data }: State, event: Event | undefined): void {
  if (!event || event.kind === 'sync' || event.kind === 'acknowledged') return
  if (event.kind === 'names') {
    const folder = names.get(event.folder.id) ?? new Map<string, Inode>()
    names.set(event.folder.id, folder)
    for (const [name, inode] of event.set) {
      if (inode) folder.set(name, inode)
      else folder.delete(name)
    }
    return
  }
  const before = data.get(event.inode.id) ?? Buffer.alloc(0)
  if (event.kind === 'truncate') {
    const cut = Buffer.alloc(event.length)
    before.copy(cut)
    data.set(event.inode.id, cut)
    return
  }
  const end = event.at + event.bytes.byteLength
  const grown = end > before.byteLength ? Buffer.concat([before, Buffer.alloc(end - before.byteLength)]) : before
  event.bytes.copy(grown, event.at)
  data.set(event.inode.id, grown)
}

function put(state: State, folder: Inode, at: string, disk: Pick<typeof fs, 'mkdirSync' | 'writeFileSync'>): void {
  for (const [name, inode] of state.names.get(folder.id) ?? []) {
    const path = join(at, name)
    if (inode.isFolder) {
      disk.mkdirSync(path)
      put(state, inode, path, disk)
    } else disk.writeFileSync(path, state.data.get(inode.id) ?? Buffer.alloc(0))
  }
}
