// The gold score of this desk: its words and weights given to the simulated gold.
import { simulatedGold } from '#simulate'
import { tables } from './grammar.ts'
import { CRITERION, GOLD } from './knobs.ts'

export const gold = simulatedGold(tables, GOLD, CRITERION)
