// The key of a workspace from which the secret of each webhook follows. It lies in a file that its owner alone may read, and
// not in the database, so that neither a dump nor an export of it lets anybody sign in hone's name.
import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import { join } from 'node:path'

const FILE = 'webhook.key'

/** Made at its first use. Two that come first together end with one: a link never replaces. */
export function webhookKey(workspace: string): Buffer {
  const file = join(workspace, FILE)
  if (!fs.existsSync(file)) {
    const mine = `${file}.${process.pid}-${randomBytes(4).toString('hex')}`
    fs.writeFileSync(mine, randomBytes(32).toString('hex'), { mode: 0o600, flag: 'wx', flush: true })
    try {
      fs.linkSync(mine, file)
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause
    } finally {
      fs.rmSync(mine)
    }
  }
  return Buffer.from(fs.readFileSync(file, 'utf8'), 'hex')
}
