// The server's side alone, beside a process that stands in for the sampler where a real one's death cannot be timed.
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openSamplerLink } from './index.ts'

/** The first process breaks each call's connection and goes on taking new ones until it ends; the next one answers. */
const DYING = `
import fs from 'node:fs'
import { createServer } from 'node:http'
const isFirst = !fs.existsSync(process.argv[2])
fs.writeFileSync(process.argv[2], '')
createServer((request, response) => {
  if (!isFirst) return response.end(JSON.stringify({ hash: String(process.pid) }))
  setTimeout(() => process.exit(1), 400)
  request.socket.destroy()
}).listen(process.argv.at(-1), () => console.log('ready'))
process.stdin.on('end', () => process.exit(0)).resume()
`

test('a call that is told of the death may be made again at once: the dying process is not asked any more', async () => {
  const folder = fs.mkdtempSync(join(tmpdir(), 'hone-link-'))
  const script = join(folder, 'dying.mjs')
  fs.writeFileSync(script, DYING)
  const link = openSamplerLink({ command: [process.execPath, script, join(folder, 'was-here')] })
  try {
    await expect(link.load('any')).rejects.toMatchObject({ status: 503 })
    const { hash } = await link.load('any')
    expect(hash).toBe(String(link.pid()))
  } finally {
    await link.close()
    fs.rmSync(folder, { recursive: true })
  }
})
