/**
 * Whether an Accept header ranks JSON above text: by quality alone (RFC 9110, section 12.5.1), so that the
 * order of the list means nothing; a wildcard, a text of any kind that ranks as high, or no header means text.
 */
export function prefersJson(accept: string | undefined): boolean {
  if (accept === undefined || accept === '*/*') return false
  const qualities = new Map(accept.split(',').map(qualityOf))
  const any = qualities.get('*/*') ?? 0
  const json = qualities.get('application/json') ?? qualities.get('application/*') ?? any
  return json > (qualities.get('text/plain') ?? bestText(qualities) ?? any)
}

function bestText(qualities: Map<string, number>): number | undefined {
  const texts = [...qualities].filter(([range]) => range.startsWith('text/'))
  return texts.length === 0 ? undefined : Math.max(...texts.map(([, quality]) => quality))
}

function qualityOf(element: string): [range: string, quality: number] {
  const [range = '', ...parameters] = element.split(';').map((part) => part.trim().toLowerCase())
  const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? '1'
  return [range, /^(0(\.[0-9]{0,3})?|1(\.0{0,3})?)$/.test(weight) ? Number(weight) : 0]
}
