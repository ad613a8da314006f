// The built pages: files by name, and index.html for every address that the web's own router knows.
import { readFile } from 'node:fs/promises'
import { extname, join, resolve, sep } from 'node:path'
import type { Context, Handler } from 'hono'

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
}
/** Vite puts a hash into the names in assets/: they never change. */
const FOREVER = 'public, max-age=31536000, immutable'

export function webPages(folder: string): Handler {
  const root = resolve(folder)
  return async (c: Context) => {
    const path = resolve(root, `.${decoded(c.req.path)}`)
    const isFile = path.startsWith(root + sep) && extname(path) in TYPES
    const file = isFile ? await read(path) : undefined
    if (file) {
      c.header('content-type', TYPES[extname(path)]!)
      c.header('cache-control', path.startsWith(join(root, 'assets') + sep) ? FOREVER : 'no-cache')
      return c.body(file)
    }
    if (isFile) return c.notFound()
    const page = await read(join(root, 'index.html'))
    if (!page) return c.text('The web pages are not built: run npm run setup.', 503)
    c.header('content-type', TYPES['.html']!)
    c.header('cache-control', 'no-cache')
    return c.body(page)
  }
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return '/'
  }
}

async function read(path: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    return new Uint8Array(await readFile(path))
  } catch {
    return undefined
  }
}
