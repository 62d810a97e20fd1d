import * as echarts from 'echarts'
import type { Panel } from './dashboard.ts'

/** One line of a panel: times in milliseconds. */
export interface Line {
  readonly name: string
  readonly points: readonly (readonly [time: number, value: number])[]
}

/** What a panel adds to a chart. */
interface Part {
  readonly legend: echarts.LegendComponentOption[]
  readonly visualMap: echarts.VisualMapComponentOption[]
  readonly xAxis: echarts.XAXisComponentOption
  readonly yAxis: echarts.YAXisComponentOption
  readonly series: echarts.SeriesOption[]
}

const WIDTH = 1100
const PANEL = { width: 470, height: 150, left: 70, top: 90, right: 550, down: 240 }

/** Panels in two columns as SVG, as Grafana would place them. */
export function drawPanels(title: string, panels: readonly (readonly [Panel, readonly Line[]])[]): string {
  const height = PANEL.top + Math.ceil(panels.length / 2) * PANEL.down
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height })
  const parts = panels.map(([panel, lines], index) => part(panel, lines, index))
  chart.setOption({
    animation: false,
    useUTC: true,
    backgroundColor: '#fff',
    title: [{ text: title, left: 10, textStyle: { fontSize: 15 } }, ...parts.map((each) => each.title)],
    legend: parts.flatMap((each) => each.legend),
    visualMap: parts.flatMap(({ visualMap }, index) => {
      const seriesIndex = parts.slice(0, index).flatMap(({ series }) => series).length
      return visualMap.map((map) => ({ ...map, seriesIndex }))
    }),
    grid: parts.map((each) => each.grid),
    xAxis: parts.map((each) => each.xAxis),
    yAxis: parts.map((each) => each.yAxis),
    series: parts.flatMap((each) => each.series),
  })
  const svg = chart.renderToSVGString()
  chart.dispose()
  return `${svg}\n`
}

function part(
  panel: Panel,
  lines: readonly Line[],
  index: number,
): Part & { title: echarts.TitleComponentOption; grid: echarts.GridComponentOption } {
  const left = PANEL.left + (index % 2) * PANEL.right
  const top = PANEL.top + Math.floor(index / 2) * PANEL.down
  const axis = { xAxisIndex: index, yAxisIndex: index }
  const frame = {
    title: { text: panel.title, left: left - 50, top: top - 40, textStyle: { fontSize: 13 } },
    grid: { left, top, width: PANEL.width, height: PANEL.height },
  }
  if (panel.type === 'heatmap') return { ...frame, ...heatmap(lines, index, axis) }
  return {
    ...frame,
    legend: [
      {
        data: lines.map(({ name }) => `${index}:${name}`),
        formatter: nameOf,
        left,
        top: top + 172,
        itemHeight: 8,
      },
    ],
    visualMap: [],
    xAxis: { type: 'time', gridIndex: index, axisLabel: { formatter: '{HH}:{mm}', hideOverlap: true } },
    yAxis: { type: 'value', gridIndex: index, min: 0, axisLabel: { formatter: labelOf(panel) } },
    series: lines.map(({ name, points }) => ({
      ...axis,
      type: 'line',
      name: `${index}:${name}`,
      data: points.filter(([, value]) => Number.isFinite(value)).map(([...point]) => point),
      symbol: 'none',
    })),
  }
}

/** Buckets of a histogram over time; they come cumulative, and each shows what it adds to the one below. */
function heatmap(lines: readonly Line[], index: number, axis: object): Part {
  const buckets = lines.toSorted((a, b) => boundOf(a) - boundOf(b))
  const times = buckets[0]?.points.map(([time]) => time) ?? []
  const cells = buckets.flatMap(({ points }, row) =>
    points.map(
      ([, value], column) =>
        [column, row, Math.max(0, value - (buckets[row - 1]?.points[column]?.[1] ?? 0))] as const,
    ),
  )
  return {
    legend: [],
    visualMap: [
      {
        show: false,
        min: 0,
        max: Math.max(1, ...cells.map(([, , value]) => value)) ** 0.5,
        inRange: { color: ['#ffffff', '#b3d1f0', '#5a9bd8', '#1f5fa8'] },
        dimension: 2,
      },
    ],
    xAxis: {
      type: 'category',
      gridIndex: index,
      data: times.map((time) => new Date(time).toISOString().slice(11, 16)),
      axisLabel: { interval: Math.ceil(times.length / 5) },
    },
    yAxis: {
      type: 'category',
      gridIndex: index,
      data: buckets.map((bucket) => String(Math.round(boundOf(bucket))).replace('Infinity', '∞')),
    },
    series: [
      {
        ...axis,
        type: 'heatmap',
        name: `${index}`,
        data: cells
          .filter(([, , value]) => value > 0)
          .map(([column, row, value]) => [column, row, value ** 0.5]),
      },
    ],
  }
}

function boundOf({ name }: Line): number {
  return name === '+Inf' ? Number.POSITIVE_INFINITY : Number(name)
}

/** Names of lines are the same in several panels, and echarts knows a line by its name alone. */
function nameOf(name: string): string {
  return name.slice(name.indexOf(':') + 1)
}

function labelOf({ fieldConfig }: Panel): (value: number) => string {
  switch (fieldConfig.defaults.unit) {
    case 'percentunit':
      return (value) => `${Number((value * 100).toPrecision(3))} %`
    case 's':
      return (value) => `${Number((value * 1000).toPrecision(3))} ms`
    case 'reqps':
      return (value) => `${value}/s`
    default:
      return String
  }
}
