// Who may answer what asks for an expertise: whoever holds a credential of it when they answer, not only when they were asked.
import { HttpError } from '#errors'
import { isQualifiedFor, type Query } from '#store'

export async function mustKnowEnough(query: Query, item: string, user: string): Promise<void> {
  if (await isQualifiedFor(query, item, user)) return
  throw new HttpError(422, 'this asks for an expertise that nobody has said you have, or no longer; a lead can')
}
