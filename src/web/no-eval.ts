// Zod compiles its checks by `new Function` where it may; the page's headers forbid that, so it is told not to try.
// Imported before every schema.
import { z } from 'zod'

z.config({ jitless: true })
