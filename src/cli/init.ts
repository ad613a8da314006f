// hone init: a new workspace, that is a folder with hone.json, an objective and a guideline to begin from.
import { copyFileSync, existsSync, mkdirSync, readdirSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import { ConfigError } from '#errors'
import { writeDurable } from '#files'
import { output } from './output.ts'

const DOMAINS = fileURLToPath(new URL('../../domains', import.meta.url))
/** What a domain gives to a new workspace, where it has it. */
const GIVEN = ['objective.json', 'guideline.md', 'knowledge-base.json']

export function initCommand(program: Command): void {
  program
    .command('init <folder>')
    .description('a new workspace, with the objective and guideline of a domain to begin from')
    .option('--domain <name>', `one of: ${domains().join(', ')}`, 'customer-service')
    .option('--json', 'events as JSON lines')
    .action((folder: string, options: { domain: string; json?: boolean }) => {
      const out = output(options)
      const made = initWorkspace(folder, options.domain)
      out.event({ event: 'done', workspace: resolve(folder), files: made })
      out.say(`made ${folder}: ${made.join(', ')}`)
      out.say(
        `next: edit ${join(folder, 'objective.json')}, then hone data import FILE --kind demonstrations --dir ${folder}`,
      )
    })
}

/** Makes the workspace; returns the names of its files. Throws ConfigError where there is one already. */
export function initWorkspace(folder: string, domain: string): string[] {
  if (!domains().includes(domain))
    throw new ConfigError(`--domain: expected one of ${domains().join(', ')}, got ${domain}`)
  if (existsSync(join(folder, 'hone.json')))
    throw new ConfigError(
      `expected a folder that is not a workspace yet, got ${folder} (it has hone.json); choose another`,
    )
  for (const name of ['datasets', 'artifacts', 'runs']) mkdirSync(join(folder, name), { recursive: true })
  const given = GIVEN.filter((name) => existsSync(join(DOMAINS, domain, name)))
  for (const name of given) copyFileSync(join(DOMAINS, domain, name), join(folder, name))
  writeDurable(join(folder, 'hone.json'), `${JSON.stringify({ name: basename(resolve(folder)), domain }, null, 2)}\n`)
  return ['hone.json', ...given]
}

function domains(): string[] {
  return readdirSync(DOMAINS, { withFileTypes: true })
    .filter((d) => d.isDirectory() && existsSync(join(DOMAINS, d.name, 'objective.json')))
    .map((d) => d.name)
}
