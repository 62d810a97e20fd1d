import * as echarts from 'echarts'

/** Something to draw: a name and its values, in the order of the categories. */
export interface PlotSeries {
  readonly name: string
  readonly values: readonly (number | null)[]
}

/** A bar chart as SVG, drawn without a browser. */
export function barChart(
  title: string,
  unit: string,
  categories: readonly string[],
  series: readonly PlotSeries[],
): string {
  return draw(title, unit, categories, series, 'bar')
}

/** A line chart as SVG. */
export function lineChart(
  title: string,
  unit: string,
  categories: readonly string[],
  series: readonly PlotSeries[],
): string {
  return draw(title, unit, categories, series, 'line')
}

function draw(
  title: string,
  unit: string,
  categories: readonly string[],
  series: readonly PlotSeries[],
  type: 'bar' | 'line',
): string {
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: 800, height: 360 })
  chart.setOption({
    animation: false,
    backgroundColor: '#fff',
    title: { text: title, left: 'center', textStyle: { fontSize: 15 } },
    legend: { bottom: 0 },
    grid: { left: 70, right: 20, top: 50, bottom: 60 },
    xAxis: { type: 'category', data: [...categories] },
    yAxis: { type: 'value', name: unit },
    series: series.map(({ name, values }) => ({ name, type, data: [...values], symbol: 'none' })),
  })
  const svg = chart.renderToSVGString()
  chart.dispose()
  return `${svg}\n`
}
