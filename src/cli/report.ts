// hone report: report.html anew from report.json; of a workspace without one, technical.html from its runs and evaluations.
import fs from 'node:fs'
import { join } from 'node:path'
import { ConfigError, DataError } from '#errors'
import { writeDurable } from '#files'
import { readJsonFile } from '#lineage'
import { renderReport, renderTechnical } from '#report'
import { Report } from '#schema'
import type { Command } from 'commander'
import { output } from './output.ts'
import { technicalOf } from './technical.ts'

export function reportCommand(program: Command): void {
  program
    .command('report')
    .description(
      'render report.html anew from the report.json of a folder; of a workspace without one, technical.html: base, SFT and RL side by side from its runs and evaluations',
    )
    .argument('<folder>', 'where report.json lies, or a workspace')
    .option('--json', 'events as JSON lines on standard output')
    .action((folder: string, options: { json?: boolean }) => {
      const out = output(options)
      const { file, written } = fs.existsSync(join(folder, 'report.json'))
        ? write(join(folder, 'report.html'), renderReport(readReport(folder)))
        : writeTechnical(folder)
      out.event({ event: 'done', file, ...written })
      out.say(file)
    })
}

function write(file: string, page: string) {
  return { file, written: writeDurable(file, page) }
}

function writeTechnical(folder: string) {
  if (!fs.existsSync(folder)) throw new ConfigError(`expected a folder, got ${folder}, which is not there`)
  const technical = technicalOf(folder)
  writeDurable(join(folder, 'technical.json'), `${JSON.stringify(technical, null, 2)}\n`)
  return write(join(folder, 'technical.html'), renderTechnical(technical))
}

/** The report.json of a folder. None is a ConfigError, one of another shape a DataError. */
export function readReport(folder: string): Report {
  const file = join(folder, 'report.json')
  if (!fs.existsSync(file)) throw new ConfigError(`expected a folder with report.json, got ${folder}`)
  const parsed = Report.safeParse(readJsonFile(file))
  if (parsed.success) return parsed.data
  const { path, message } = parsed.error.issues[0]!
  throw new DataError(`expected a report of hone: ${message}`, { file, field: path.join('.') })
}
