// What root hands to the account that runs Postgres: one right, to pass closed folders, also where access(2) asks.
import { once } from 'node:events'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { accountFor, asAccount } from './unprivileged.ts'

test.skipIf(process.getuid?.() !== 0)('a program in a closed folder is found by another account', async () => {
  const closed = fs.mkdtempSync(join(tmpdir(), 'hone-closed-'))
  const program = join(closed, 'program')
  fs.writeFileSync(program, '', { mode: 0o755 })
  try {
    const account = accountFor([program])!
    expect(account).toMatchObject({ isKept: true })
    const script = `require('fs').accessSync(${JSON.stringify(program)}, 5)
      const rights = /CapPrm:\\s*(\\w+)/.exec(require('fs').readFileSync('/proc/self/status', 'utf8'))[1]
      console.log(process.getuid(), Number('0x' + rights))`
    const stdio = ['ignore', 'pipe', 'inherit'] as const
    const child = asAccount(process.execPath, ['-e', script], { account, stdio: [...stdio] })
    let said = ''
    child.stdout!.on('data', (part) => (said += String(part)))
    await once(child, 'close')
    expect(said.trim()).toBe(`${account.uid} ${1 << 1}`) // CAP_DAC_OVERRIDE is bit 1
  } finally {
    fs.rmSync(closed, { recursive: true })
  }
})
