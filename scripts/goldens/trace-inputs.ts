// node --import tsx scripts/goldens/trace-inputs.ts tabular|llama OUT.json: what traces.py or llama_traces.py needs of the
// twenty-step runs. Run both again when a recipe's mathematics or its order of rows changes, and say why in the same commit.
import { writeFileSync } from 'node:fs'
import { type RecipeName, tracedRun } from '../../trials/worlds/traced.ts'
import { tracedLlama } from '../../trials/worlds/traced-llama.ts'

const [world, out] = process.argv.slice(2)
const traced = world === 'llama' ? (name: RecipeName) => tracedLlama(name) : tracedRun
const inputs: Record<string, unknown> = {}
for (const name of ['sft', 'reward', 'dpo', 'ppo'] satisfies RecipeName[]) inputs[name] = (await traced(name)).inputs
writeFileSync(out!, JSON.stringify(inputs))
