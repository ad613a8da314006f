// hone report: report.html anew from report.json.
import fs from 'node:fs'
import { join } from 'node:path'
import { ConfigError, DataError } from '#errors'
import { writeDurable } from '#files'
import { readJsonFile } from '#lineage'
import { renderReport } from '#report'
import { Report } from '#schema'
import type { Command } from 'commander'
import { output } from './output.ts'

export function reportCommand(program: Command): void {
  program
    .command('report')
    .description('render report.html anew from the report.json of a folder')
    .argument('<folder>', 'where report.json lies')
    .option('--json', 'events as JSON lines on standard output')
    .action((folder: string, options: { json?: boolean }) => {
      const out = output(options)
      const file = join(folder, 'report.html')
      const written = writeDurable(file, renderReport(readReport(folder)))
      out.event({ event: 'done', file, ...written })
      out.say(file)
    })
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
