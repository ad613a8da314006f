// node --import tsx scripts/goldens/trace-inputs.ts OUT.json: what traces.py needs of the twenty-step runs. Run both
// again when a recipe's mathematics or its order of rows changes, and say why in the same commit.
import { writeFileSync } from 'node:fs'
import { type RecipeName, tracedRun } from '../../trials/worlds/traced.ts'

const inputs: Record<string, unknown> = {}
for (const name of ['sft', 'reward', 'dpo', 'ppo'] satisfies RecipeName[]) inputs[name] = (await tracedRun(name)).inputs
writeFileSync(process.argv[2]!, JSON.stringify(inputs))
