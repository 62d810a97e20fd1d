/**
 * Whether an Accept header ranks JSON above text: by quality alone (RFC 9110, section 12.5.1), so that the
 * order of the list means nothing, and a wildcard or no header at all means text.
 */
export function prefersJson(accept: string | undefined): boolean {
  if (accept === undefined || accept === '*/*') return false
  const qualities = new Map(accept.split(',').map(qualityOf))
  const quality = (...ranges: string[]) =>
    qualities.get(ranges.find((range) => qualities.has(range)) ?? '') ?? 0
  return quality('application/json', 'application/*', '*/*') > quality('text/plain', 'text/*', '*/*')
}

function qualityOf(element: string): [range: string, quality: number] {
  const [range = '', ...parameters] = element.split(';').map((part) => part.trim().toLowerCase())
  const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2)
  const quality = weight === undefined ? 1 : Number(weight)
  return [range, quality >= 0 && quality <= 1 ? quality : 0]
}
