import { createHash } from 'node:crypto'
import fs from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ConfigError, DataError, HttpError } from '#errors'
import { type Hub, hubOf } from './environment.ts'
import { pull } from './pull.ts'

// A server that speaks the Hub's protocol: it redirects small files to another path of its own and large ones to a store
// of another origin, and gives hash and length on the answer that redirects. `faults` make it misbehave.

const COMMIT = 'c0ffee'.padEnd(40, '0')
const NAME = 'owner/tiny-model'
const FILES: Record<string, Buffer> = {
  'config.json': Buffer.from('{"model_type":"llama"}'),
  'tokenizer.json': Buffer.from('{"model":{}}'),
  'model.safetensors': Buffer.alloc(300_000, 'weights '),
  'pytorch_model.bin': Buffer.from('pickle'),
  'README.md': Buffer.from('# hello'),
}
const MODEL = ['config.json', 'tokenizer.json', 'model.safetensors']

type Seen = { method: string; url: string; range: string | undefined; token: string | undefined; at: 'hub' | 'store' }
type Faults = {
  files?: Record<string, Buffer>
  needsToken?: string
  /** Bytes after which the store cuts the connection, one a request. */
  cuts?: number[]
  ignoresRange?: boolean
  /** Sends other bytes than the hash says. */
  damages?: boolean
  /** Statuses of the store before it answers. */
  statuses?: number[]
  etag?: string
}

let root: string
let hub: Hub
let seen: Seen[]
let faults: Faults
let servers: Server[]

beforeEach(async () => {
  root = fs.mkdtempSync(join(tmpdir(), 'hone-hub-'))
  seen = []
  faults = {}
  const store = createServer((request, response) => serveStore(request, response))
  const storeAddress = await listen(store)
  const main = createServer((request, response) => serveHub(request, response, storeAddress))
  servers = [store, main]
  hub = { endpoint: await listen(main), cache: join(root, 'hub') }
})
afterEach(() => {
  for (const server of servers) {
    server.closeAllConnections()
    server.close()
  }
  fs.rmSync(root, { recursive: true })
})

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const isLarge = (name: string) => name.endsWith('.safetensors')
const hashOf = (name: string, content: Buffer) =>
  isLarge(name)
    ? createHash('sha256').update(content).digest('hex')
    : createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex')

function record(request: IncomingMessage, at: Seen['at']): void {
  const { method = '', url = '', headers } = request
  seen.push({ method, url, range: headers.range, token: headers.authorization, at })
}

function serveHub(request: IncomingMessage, response: ServerResponse, store: string): void {
  record(request, 'hub')
  const files = faults.files ?? FILES
  if (faults.needsToken !== undefined && request.headers.authorization !== `Bearer ${faults.needsToken}`)
    return void response.writeHead(401).end()
  const url = request.url!
  if (url === `/api/models/${NAME}/revision/main` || url === `/api/models/${NAME}/revision/refs%2Fpr%2F1`) {
    const siblings = Object.keys(files).map((rfilename) => ({ rfilename }))
    return void response.end(JSON.stringify({ id: NAME, sha: COMMIT, siblings }))
  }
  const [, path, name = ''] = new RegExp(`^/(${NAME}/resolve|cached)/${COMMIT}/(.*)$`).exec(url) ?? []
  const content = files[name]
  if (!content) return void response.writeHead(404).end('not found')
  const etag = `"${faults.etag ?? hashOf(name, content)}"`
  if (isLarge(name))
    return void response
      .writeHead(302, {
        location: `${store}/${name}`,
        'x-linked-etag': etag,
        'x-linked-size': content.length,
        etag: '"other"',
      })
      .end()
  if (path !== 'cached') return void response.writeHead(307, { location: `/cached/${COMMIT}/${name}` }).end()
  response.writeHead(200, { etag, 'content-length': content.length })
  response.end(request.method === 'HEAD' ? undefined : content)
}

function serveStore(request: IncomingMessage, response: ServerResponse): void {
  record(request, 'store')
  const status = faults.statuses?.shift()
  if (status !== undefined) return void response.writeHead(status).end()
  const content = Buffer.from((faults.files ?? FILES)[request.url!.slice(1)]!)
  if (faults.damages) content[content.length - 1]! ^= 1
  const from = faults.ignoresRange ? 0 : Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
  const rest = content.subarray(from)
  response.writeHead(from > 0 ? 206 : 200, {
    'content-length': rest.length,
    ...(from > 0 && { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` }),
  })
  const cut = faults.cuts?.shift()
  if (cut === undefined) return void response.end(rest)
  response.write(rest.subarray(0, cut), () => setImmediate(() => response.destroy()))
}

const cached = (...parts: string[]) => join(hub.cache, 'models--owner--tiny-model', ...parts)
const downloads = () => seen.filter(({ method, at }) => method === 'GET' && at === 'store')

test('a model lands in the layout that other tools share, without its pickle', async () => {
  const progress: number[] = []
  const pulled = await pull(hub, NAME, { onProgress: ({ received }) => progress.push(received) })
  expect(pulled).toMatchObject({ name: NAME, commit: COMMIT, folder: cached('snapshots', COMMIT) })
  expect(pulled.files.map(({ name }) => name)).toEqual(MODEL)
  expect(fs.readdirSync(pulled.folder).sort()).toEqual(MODEL.toSorted())
  expect(fs.readFileSync(cached('refs', 'main'), 'utf8')).toBe(COMMIT)
  for (const name of MODEL) {
    const content = FILES[name]!
    expect(fs.readlinkSync(join(pulled.folder, name))).toBe(`../../blobs/${hashOf(name, content)}`)
    expect(fs.readFileSync(join(pulled.folder, name)).equals(content)).toBe(true)
  }
  expect(fs.readdirSync(cached('blobs')).length).toBe(3)
  expect(pulled.receivedBytes).toBe(MODEL.reduce((sum, name) => sum + FILES[name]!.length, 0))
  expect(progress.at(-1)).toBe(300_000)
})

test('what is there is not fetched again', async () => {
  await pull(hub, NAME)
  seen = []
  const again = await pull(hub, NAME)
  expect(again.receivedBytes).toBe(0)
  expect(seen.filter(({ method }) => method === 'GET').map(({ url }) => url)).toEqual([
    `/api/models/${NAME}/revision/main`,
  ])
})

test('--out is a folder of copies, and is refused when something is there', async () => {
  const to = join(root, 'mine')
  const pulled = await pull(hub, `${NAME}@refs/pr/1`, { to })
  expect(pulled.folder).toBe(to)
  expect(fs.lstatSync(join(to, 'model.safetensors')).isFile()).toBe(true)
  expect(fs.readFileSync(cached('refs', 'refs', 'pr', '1'), 'utf8')).toBe(COMMIT)
  await expect(pull(hub, NAME, { to })).rejects.toThrow(DataError)
})

test('the token goes to the Hub and never to the store', async () => {
  faults.needsToken = 'secret'
  await expect(pull(hub, NAME)).rejects.toThrow(`${NAME}@main: not allowed: set HF_TOKEN`)
  await expect(pull({ ...hub, token: 'wrong' }, NAME)).rejects.toThrow('the token of HF_TOKEN may not read it')
  seen = []
  await pull({ ...hub, token: 'secret' }, NAME)
  for (const { at, token } of seen) expect(token).toBe(at === 'hub' ? 'Bearer secret' : undefined)
  expect(downloads().length).toBe(1)
})

test('a connection that is cut is gone on with, from where it ended', async () => {
  faults.cuts = [100_000, 50_000]
  const { folder, receivedBytes } = await pull(hub, NAME)
  expect(fs.readFileSync(join(folder, 'model.safetensors')).equals(FILES['model.safetensors']!)).toBe(true)
  const ranges = downloads().map(({ range }) => range)
  expect(ranges.length).toBe(3)
  expect(ranges[0]).toBeUndefined()
  for (const range of ranges.slice(1)) expect(range).toMatch(/^bytes=[1-9]\d*-$/)
  expect(receivedBytes).toBe(MODEL.reduce((sum, name) => sum + FILES[name]!.length, 0))
})

test('what an earlier pull, of whatever tool, left unfinished is gone on with', async () => {
  const content = FILES['model.safetensors']!
  const partial = cached('blobs', `${hashOf('model.safetensors', content)}.incomplete`)
  fs.mkdirSync(cached('blobs'), { recursive: true })
  fs.writeFileSync(partial, content.subarray(0, 123_456))
  await pull(hub, NAME)
  expect(downloads().map(({ range }) => range)).toEqual(['bytes=123456-'])
  expect(fs.existsSync(partial)).toBe(false)
})

test('a server that knows no ranges sends all of it again', async () => {
  faults = { cuts: [100_000], ignoresRange: true }
  const { folder } = await pull(hub, NAME)
  expect(fs.readFileSync(join(folder, 'model.safetensors')).equals(FILES['model.safetensors']!)).toBe(true)
})

test('a partial file that is longer than the file, or of other bytes, does no harm', async () => {
  const partial = cached('blobs', `${hashOf('model.safetensors', FILES['model.safetensors']!)}.incomplete`)
  fs.mkdirSync(cached('blobs'), { recursive: true })
  fs.writeFileSync(partial, Buffer.alloc(300_001))
  await pull(hub, NAME)
  fs.rmSync(hub.cache, { recursive: true })
  fs.mkdirSync(cached('blobs'), { recursive: true })
  fs.writeFileSync(partial, Buffer.alloc(1000))
  await expect(pull(hub, NAME)).rejects.toThrow('what came was removed, run again')
  const { receivedBytes } = await pull(hub, NAME)
  expect(receivedBytes).toBe(300_000)
})

test('bytes of another hash are refused and not kept', async () => {
  faults.damages = true
  await expect(pull(hub, NAME)).rejects.toThrow(DataError)
  expect(fs.readdirSync(cached('blobs')).length).toBe(2)
  expect(fs.existsSync(cached('refs', 'main'))).toBe(false)
  expect(fs.existsSync(cached('snapshots', COMMIT, 'model.safetensors'))).toBe(false)
  faults.etag = 'a-number'
  await expect(pull(hub, NAME)).rejects.toThrow('expected a hash as its etag')
})

test('a server that stumbles is asked again, one that stays down is said so', async () => {
  faults.statuses = [503, 500]
  await pull(hub, NAME)
  expect(downloads().length).toBe(3)
  fs.rmSync(hub.cache, { recursive: true })
  faults.statuses = Array.from({ length: 9 }, () => 503)
  await expect(pull(hub, NAME)).rejects.toThrow(HttpError)
})

test('a model or revision that is not there, and a Hub that does not answer', async () => {
  await expect(pull(hub, 'owner/other')).rejects.toThrow('owner/other@main: not there: check the name and the revision')
  await expect(pull(hub, `${NAME}@v9`)).rejects.toMatchObject({ status: 404 })
  await expect(pull({ ...hub, endpoint: 'http://127.0.0.1:1' }, NAME)).rejects.toThrow('no answer')
})

test('shards are those that the index names', async () => {
  const index = (map: Record<string, string>) => Buffer.from(JSON.stringify({ weight_map: map }))
  const shard = 'model-00001-of-00001.safetensors'
  const files = {
    'config.json': FILES['config.json']!,
    [shard]: Buffer.from('abc'),
    'other.safetensors': Buffer.from('x'),
  }
  faults.files = { ...files, 'model.safetensors.index.json': index({ a: shard, b: shard }) }
  const pulled = await pull(hub, NAME)
  expect(pulled.files.map(({ name }) => name)).toEqual(['config.json', 'model.safetensors.index.json', shard])
  for (const hostile of ['../x.safetensors', '/x.safetensors', 'x.bin', 'missing.safetensors']) {
    fs.rmSync(hub.cache, { recursive: true })
    faults.files = { ...files, 'model.safetensors.index.json': index({ a: hostile }) }
    await expect(pull(hub, NAME)).rejects.toThrow(DataError)
  }
})

test('a model that is a pickle only is refused by name', async () => {
  faults.files = { 'config.json': FILES['config.json']!, 'pytorch_model.bin': Buffer.from('x') }
  await expect(pull(hub, NAME)).rejects.toThrow('as a pickle (pytorch_model.bin), which can run any code')
})

test('an abort keeps what came, and the same call goes on', async () => {
  const controller = new AbortController()
  const onProgress = ({ file }: { file: string }) => {
    if (file === 'model.safetensors') controller.abort()
  }
  await expect(pull(hub, NAME, { signal: controller.signal, onProgress })).rejects.toMatchObject({ name: 'AbortError' })
  const { receivedBytes } = await pull(hub, NAME)
  expect(receivedBytes).toBeLessThan(300_000)
})

test.each([
  '',
  'a/b/c',
  '../b',
  'a/..',
  'a b',
  'a@b@c',
  'a@../x',
  'a@-x',
  'a--b',
  'https://huggingface.co/a/b',
])('the name %j is refused', async (name) => {
  await expect(pull(hub, name)).rejects.toThrow(ConfigError)
  expect(seen).toEqual([])
})

test('variables are those of huggingface_hub', () => {
  expect(hubOf({}, root)).toEqual({
    endpoint: 'https://huggingface.co',
    cache: join(root, '.cache', 'huggingface', 'hub'),
  })
  fs.writeFileSync(join(root, 'token'), 'kept\n')
  expect(hubOf({ HF_HOME: root, HF_ENDPOINT: 'http://localhost:1/' }, '/none')).toEqual({
    endpoint: 'http://localhost:1',
    cache: join(root, 'hub'),
    token: 'kept',
  })
  expect(hubOf({ HF_HUB_CACHE: '/c', HF_HOME: root, HF_TOKEN: 't' }, '/none')).toMatchObject({
    cache: '/c',
    token: 't',
  })
  expect(hubOf({ XDG_CACHE_HOME: '/x' }, '/none').cache).toBe('/x/huggingface/hub')
  expect(() => hubOf({ HF_HUB_OFFLINE: '1' }, root)).toThrow(ConfigError)
  expect(() => hubOf({ HF_ENDPOINT: 'file:///etc' }, root)).toThrow(ConfigError)
  expect(() => hubOf({ HF_TOKEN: 'two\nlines' }, root)).toThrow(/^HF_TOKEN: expected a token on one line(?!.*two)/)
})
