// Runs commands in this process, as the program would.
import { Command } from 'commander'
import { vi } from 'vitest'

/** Runs one of the commands with --json and answers its last event. */
export async function runCommand(
  commands: ((program: Command) => void)[],
  args: string[],
): Promise<Record<string, unknown>> {
  const program = new Command('hone').exitOverride()
  for (const add of commands) add(program)
  const written: string[] = []
  const out = vi.spyOn(process.stdout, 'write').mockImplementation((text) => (written.push(String(text)), true))
  const words = vi.spyOn(process.stderr, 'write').mockImplementation(() => true)
  try {
    await program.parseAsync([...args, '--json'], { from: 'user' })
  } finally {
    out.mockRestore()
    words.mockRestore()
  }
  return JSON.parse(written.join('').trim().split('\n').at(-1)!) as Record<string, unknown>
}
