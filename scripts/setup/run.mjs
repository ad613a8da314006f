// Running other programs, and the one kind of failure that is expected here.
import { spawn } from 'node:child_process'

/** Expected: said in one sentence, without a stack. */
export class SetupError extends Error {}

/** Runs it; on failure the end of what it said follows the message. */
export function run(command, args, failure) {
  return new Promise((done, fail) => {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    const listen = (data) => {
      said = (said + data).slice(-20_000)
    }
    child.stdout.on('data', listen)
    child.stderr.on('data', listen)
    child.on('error', (error) => fail(new SetupError(`${failure}: ${error.message}`)))
    child.on('close', (code) => (code === 0 ? done() : fail(new SetupError(`${failure}\n${explain(said)}`))))
  })
}

/** A compiler's first errors, or the last lines. */
function explain(said) {
  const lines = said.trim().split('\n')
  const errors = lines.filter((line) => /error[: ]/i.test(line)).slice(0, 8)
  return (errors.length > 0 ? errors : lines.slice(-8)).join('\n')
}
