// The process behind hone serve that holds models: not for people, so absent from --help.
import { Socket } from 'node:net'
import { serveSampler } from '#sampler'
import { resolveModel } from '#trainer'
import type { Command } from 'commander'
import { numberOf } from './data-source.ts'

type Options = { socket: string; device: string; models: string; maxTokens: string; maxSamples: string }

export function samplerCommand(program: Command): void {
  program
    .command('sampler', { hidden: true })
    .description('models behind a unix socket, for hone serve')
    .requiredOption('--socket <path>', 'to listen on')
    .option('--device <device>', 'cpu, or cuda:0', 'cpu')
    .option('--models <n>', 'in memory at once', '2')
    .option('--max-tokens <n>', 'most tokens of a completion', '1024')
    .option('--max-samples <n>', 'most completions of a model at once', '128')
    .action(sampler)
}

async function sampler({ socket, device, models, maxTokens, maxSamples }: Options): Promise<void> {
  const serving = await serveSampler({
    socket,
    device,
    resolve: (name) => resolveModel(name, 'model'),
    mostModels: numberOf('--models', models, { low: 1, isWhole: true }),
    maxTokens: numberOf('--max-tokens', maxTokens, { low: 1, isWhole: true }),
    maxSamples: numberOf('--max-samples', maxSamples, { low: 1, isWhole: true }),
  })
  process.stdout.write('{"event":"listening"}\n')
  // Ctrl-C at a terminal reaches the whole group: the server ends, and then this by its standard input.
  process.on('SIGINT', () => {})
  await new Promise<void>((done) => process.stdin.on('end', done).resume())
  if (process.stdin instanceof Socket) process.stdin.unref()
  await serving.close()
}
