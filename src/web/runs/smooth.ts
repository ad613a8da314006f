// Smoothing of a curve: an exponential mean whose start is not pulled to zero (as Adam corrects its moments).
export function smooth(values: readonly number[], weight: number): number[] {
  let [sum, mass] = [0, 0]
  return values.map((value) => {
    sum = weight * sum + (1 - weight) * value
    mass = weight * mass + (1 - weight)
    return sum / mass
  })
}
