// The process in which chat templates run: they are programs from outside. Plain JavaScript, so that it starts without a
// loader. It answers one render at a time, each within its time; memory is capped by whoever starts it.
import process from 'node:process'
import vm from 'node:vm'
import { Template } from '@huggingface/jinja'

/** Characters; longer text is no prompt. */
const LONGEST_OUTPUT = 8_000_000

let compiledFrom
let compiled

process.on('disconnect', () => process.exit(0))
process.on('message', ({ template, variables, limitMs }) => {
  let isCompiled = false
  globalThis.renderOnce = () => {
    if (compiledFrom !== template) {
      compiled = new Template(template)
      compiledFrom = template
    }
    isCompiled = true
    return compiled.render(variables)
  }
  try {
    // A timeout here ends the loop even when nobody is left to kill this process.
    const text = vm.runInThisContext('renderOnce()', { timeout: limitMs })
    if (text.length > LONGEST_OUTPUT) throw new Error(`gave more than ${LONGEST_OUTPUT} characters`)
    process.send({ text })
  } catch (error) {
    const isTimeout = error?.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
    process.send({ problem: isTimeout ? 'timeout' : isCompiled ? 'render' : 'syntax', message: String(error?.message) })
  }
})
process.send({ isReady: true })
