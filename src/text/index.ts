// Text and tokens: byte-level BPE tokenizers, chat templates, which tokens are completions.
export { jsonGuides } from './constrain/json-guide.ts'
export { compileJsonSchema } from './constrain/json-schema.ts'
export type { Network as JsonGrammar } from './constrain/network.ts'
export { type Dialogue, tokenizeDemonstration, type TokenizedRow, tokenizePrompt } from './demonstration.ts'
export { stopGuide, streamText, type TextStream } from './stream.ts'
export { type ChatTemplate, closeTemplates, renderChat } from './template.ts'
export { loadTokenizer, type Tokenizer } from './tokenizer.ts'
export { type TokenizerFiles, trainBpe, type TrainBpe } from './train-bpe.ts'
