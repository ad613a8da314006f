// hone pull: a model from the Hugging Face Hub, into the cache that other tools share.
import { hubOf, pull } from '#hub'
import type { Command } from 'commander'
import { duration, output } from './output.ts'
import { stoppable } from './stop.ts'

type Options = { out?: string; json?: boolean }

export function pullCommand(program: Command): void {
  program
    .command('pull')
    .description(
      'a model from the Hugging Face Hub: safetensors, config and tokenizer; HF_ENDPOINT, HF_TOKEN, HF_HOME and HF_HUB_CACHE are followed',
    )
    .argument('<name>', 'NAME[@REVISION], such as HuggingFaceTB/SmolLM2-135M-Instruct')
    .option('--out <folder>', 'a new folder of copies (default: the snapshot in the cache)')
    .option('--json', 'events as JSON lines on standard output')
    .action(pullModel)
}

async function pullModel(name: string, options: Options): Promise<void> {
  const out = output(options)
  const start = performance.now()
  const seconds = () => (performance.now() - start) / 1000
  const pulled = await stoppable((signal) =>
    pull(hubOf(), name, {
      signal,
      ...(options.out !== undefined && { to: options.out }),
      onProgress: ({ file, received, size }) => {
        out.progress(`${file}  ${megabytes(received)} of ${megabytes(size)}`)
      },
    }),
  )
  out.endProgress()
  out.event({ event: 'done', ...pulled, seconds: seconds() })
  out.say(
    `${pulled.name}@${pulled.commit.slice(0, 12)}: ${pulled.files.length} files, ${megabytes(pulled.receivedBytes)} fetched in ${duration(seconds())}`,
  )
  out.print(pulled.folder)
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}
