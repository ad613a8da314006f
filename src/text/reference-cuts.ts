// A pre-tokenizer as the JavaScript library must be told it to cut as the native one does. To JavaScript `\s` is a set of
// its own (it has U+FEFF and lacks U+0085) and a digit is 0 to 9; to the native library a space is Unicode's White_Space
// and a digit is any numeric character. So `\s` is spelled out, and Digits and ByteLevel's own pattern become splits.
import { GPT2 } from './split-patterns.ts'
import type { TokenizerFile } from './tokenizer-json.ts'

type Step = Record<string, unknown>

export function asReferenceCuts(pre: TokenizerFile['pre_tokenizer']): Step {
  const steps = pre.type === 'Sequence' ? pre.pretokenizers : [pre]
  return {
    type: 'Sequence',
    pretokenizers: steps.flatMap((step): Step[] => {
      if (step.type === 'Split') return [split(step.pattern.Regex)]
      if (step.type === 'Digits') return [split(step.individual_digits ? String.raw`\p{N}` : String.raw`\p{N}+`)]
      // A prefix space is put before the first cut: left to the library.
      if (step.use_regex === false || step.add_prefix_space) return [step]
      return [split(GPT2), { ...step, use_regex: false }]
    }),
  }
}

function split(pattern: string): Step {
  return {
    type: 'Split',
    pattern: {
      Regex: pattern
        .replaceAll(String.raw`\s`, String.raw`\p{White_Space}`)
        .replaceAll(String.raw`\S`, String.raw`\P{White_Space}`),
    },
    behavior: 'Isolated',
    invert: false,
  }
}
