// What a run learned from people, out of its folder: preferences with the ids of the judgements behind each.
import fs from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Preference } from '#schema'

const AT_ONCE = 20

/** Rows `from` on, counted from 0; none where a run learned from no judgements. */
export async function preferencePage(
  folder: string,
  from: number,
): Promise<{ preferences: Preference[]; isLast: boolean }> {
  const file = join(folder, 'preferences.jsonl')
  const preferences: Preference[] = []
  if (!fs.existsSync(file)) return { preferences, isLast: true }
  let at = 0
  for await (const line of createInterface({ input: fs.createReadStream(file), crlfDelay: Infinity })) {
    if (at++ < from) continue
    if (preferences.length === AT_ONCE) return { preferences, isLast: false }
    preferences.push(Preference.parse(JSON.parse(line)))
  }
  return { preferences, isLast: true }
}
