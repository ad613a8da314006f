// Passwords: argon2id with OWASP's parameters (19 MiB, two passes, one lane). A sign-in costs the same whether the
// account exists or not: an unknown one is held against a hash that nobody's password has.
import { randomBytes } from 'node:crypto'
import { hash, verify } from '@node-rs/argon2'

/** argon2id is the library's default algorithm. */
const PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

let nobody: Promise<string> | undefined

/** PHC string: algorithm, parameters, salt and hash. */
export function hashPassword(password: string): Promise<string> {
  return hash(password.normalize('NFC'), PARAMETERS)
}

export async function isPassword(password: string, hashed: string | undefined): Promise<boolean> {
  nobody ??= hashPassword(randomBytes(32).toString('hex'))
  const isRight = await verify(hashed ?? (await nobody), password.normalize('NFC'))
  return isRight && hashed !== undefined
}
