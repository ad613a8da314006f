// hone init: a new workspace, that is a folder with hone.json, an objective and a guideline to begin from.
import { copyFileSync, existsSync, mkdirSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import type { Command } from 'commander'
import { ConfigError } from '#errors'
import { writeDurable } from '#files'
import { bundledDomains } from './domains.ts'
import { output } from './output.ts'

/** What a domain gives to a new workspace, where it has it. */
const GIVEN = ['objective.json', 'guideline.md', 'knowledge-base.json']
const NONE = 'none'

export function initCommand(program: Command): void {
  program
    .command('init <folder>')
    .description('a new workspace, with the objective and guideline of a domain to begin from')
    .option('--domain <name>', `one of: ${names().join(', ')}; ${NONE} begins empty`, 'customer-service')
    .option('--json', 'events as JSON lines')
    .action((folder: string, options: { domain: string; json?: boolean }) => {
      const out = output(options)
      const made = initWorkspace(folder, options.domain)
      out.event({ event: 'done', workspace: resolve(folder), files: made })
      out.say(`made ${folder}: ${made.join(', ')}`)
      out.say(
        options.domain === NONE
          ? `next: hone serve --dir ${folder}`
          : `next: edit ${join(folder, 'objective.json')}, then hone data import FILE --kind demonstrations --dir ${folder}`,
      )
    })
}

/** Makes the workspace; returns the names of its files. Throws ConfigError where there is one already. */
export function initWorkspace(folder: string, domain: string): string[] {
  const found = bundledDomains().find(({ name }) => name === domain)
  if (!found && domain !== NONE)
    throw new ConfigError(`--domain: expected one of ${names().join(', ')} or ${NONE}, got ${domain}`)
  if (existsSync(join(folder, 'hone.json')))
    throw new ConfigError(
      `expected a folder that is not a workspace yet, got ${folder} (it has hone.json); choose another`,
    )
  for (const name of ['datasets', 'artifacts', 'runs']) mkdirSync(join(folder, name), { recursive: true })
  const given = found ? GIVEN.filter((name) => existsSync(join(found.folder, name))) : []
  for (const name of given) copyFileSync(join(found!.folder, name), join(folder, name))
  const made = { name: basename(resolve(folder)), ...(found && { domain }) }
  writeDurable(join(folder, 'hone.json'), `${JSON.stringify(made, null, 2)}\n`)
  return ['hone.json', ...given]
}

function names(): string[] {
  return bundledDomains().map(({ name }) => name)
}
