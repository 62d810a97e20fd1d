import type { TestContext } from 'vitest'
import { describe, expect, test } from 'vitest'
import { CHART, helm, KUBERNETES } from './chart.ts'

const set = (context: TestContext, values: string) =>
  helm(context, ['template', 'x', CHART, '--kube-version', KUBERNETES, '--set', values])

const DIGEST = `sha256:${'0'.repeat(63)}`

const refused: [values: string, says: RegExp][] = [
  ['replicaCount=-1', /replicaCount.*minimum/],
  ['replicaCount=1.5', /replicaCount.*string.*integer/],
  ['srvPort=abc', /srvPort.*string.*integer/],
  ['srvPort=0', /srvPort must be 1024 or more, not 0.*service\.port/],
  ['srvPort=80', /srvPort must be 1024 or more, not 80.*--set service\.port=80/],
  ['srvPort=65536', /srvPort.*maximum/],
  ['maxSize=0', /maxSize.*minimum/],
  ['maxSize=', /maxSize.*string.*integer/],
  ['minSize=null', /missing property 'minSize'/],
  ['logRequests=yes', /logRequests.*string.*boolean/],
  ['maxsize=64', /'maxsize' not allowed/],
  ['image.name=x', /\/image.*'name' not allowed/],
  ['image.repository=', /image\/repository.*pattern/],
  ['image.repository=null', /\/image.*missing property 'repository'/],
  ['image.repository=a b', /image\/repository.*pattern/],
  ['image.repository=Keys', /image\/repository.*pattern/],
  ['image.repository=localhost:5000/key-server:latest', /image\/repository.*pattern/],
  ['imagePullSecrets[0]=x', /imagePullSecrets\/0.*string.*object/],
  ['imagePullSecrets[0].nam=x', /imagePullSecrets\/0.*(missing property 'name'|'nam' not allowed)/],
  ['host=127.0.0.1', /host must be empty, 0\.0\.0\.0 or ::, not "127\.0\.0\.1"/],
  ['host=$(MAX_SIZE)', /host must be empty/],
  ['image.tag=a b', /image\/tag.*pattern/],
  [`image.digest=${DIGEST}`, /image\/digest.*pattern/],
  ['image.pullPolicy=Sometimes', /pullPolicy.*must be one of/],
  ['service.type=ExternalName', /service\/type.*must be one of/],
  ['service.port=70000', /service\/port.*maximum/],
  ['probes.liveness.path=livez', /probes\/liveness\/path.*pattern/],
  ['probes.liveness.path=null', /probes\/liveness.*missing property 'path'/],
  ['probes.startup.failureThreshold=1000000', /failureThreshold.*maximum/],
  ['sendBufferBytes=65535', /sendBufferBytes.*minimum/],
  ['sendBufferBytes=16777217', /sendBufferBytes.*maximum/],
  ['runAsUser=0', /runAsUser.*minimum/],
  ['runAsUser=2147483648', /runAsUser.*maximum/],
  ['podAnnotations.a=5', /podAnnotations\/a.*number.*string/],
  ['nodeSelector.a=true', /nodeSelector\/a.*boolean.*string/],
  ['service.annotations.a=5', /service\/annotations\/a.*number.*string/],
  ['serviceAccount.create=null', /\/serviceAccount.*missing property 'create'/],
  ['ingress.paths=null', /\/ingress.*missing property 'paths'/],
  ['fullnameOverride=Key_Server', /fullnameOverride.*pattern/],
  ['autoscaling.enabled=true,autoscaling.maxReplicas=0', /maxReplicas.*minimum/],
  [
    'autoscaling.enabled=true,autoscaling.minReplicas=11',
    /minReplicas \(11\) must not be more than .*\(10\)/,
  ],
  ['autoscaling.enabled=null', /\/autoscaling.*missing property 'enabled'/],
  ['autoscaling.maxReplicas=1000000', /maxReplicas.*maximum/],
  ['resources.limit.memory=1Gi', /resources.*'limit' not allowed/],
  ['resources.limits=5', /resources\/limits.*number.*object/],
  ['resources.limits.memory.x=5', /resources\/limits\/memory.*object/],
  ['resources.limits.memory=64Mi', /resources\.limits\.memory must be 80Mi or more, not 64Mi/],
  ['resources.limits.memory=79.9Mi', /must be 80Mi or more, not 79\.9Mi/],
  ['resources.limits.memory=64M', /must be 80Mi or more, not 64M:/],
  ['resources.limits.memory=67108864', /must be 80Mi or more, not 67108864/],
]

describe('a wrong value is refused by its name', () => {
  test.for(refused)('%s', ([values, says], context) => {
    const { status, stdout, stderr } = set(context, values)
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(stderr).toMatch(says)
  })
})

describe('a value at the edge is taken', () => {
  test.for([
    'srvPort=1024',
    'service.port=80',
    'replicaCount=0',
    'resources.limits.memory=80Mi',
    'resources.limits.memory=1Gi',
    'resources.limits.memory=134217728',
    'resources.limits=null',
    `image.digest=${DIGEST}0`,
    'image.tag=null',
    'image.repository=[fd00::1]:5000/a/b_c.d-e',
    'image.repository=key-server',
    'host=::',
    'host=0.0.0.0',
    'probes.liveness=null',
  ])('%s', (values, context) => {
    expect(set(context, values)).toMatchObject({ status: 0, stderr: '' })
  })
})

test.for(['1st', 'keys.example'])(
  'a release can not be called %s, but can have another name',
  (release, context) => {
    const args = ['template', release, CHART, '--kube-version', KUBERNETES]
    const { status, stderr } = helm(context, args)
    expect([status, stderr]).toEqual([1, expect.stringContaining(`unlike ${release}-key-server`)])
    expect(helm(context, [...args, '--set', 'fullnameOverride=keys']).status).toBe(0)
  },
)

test('a cluster older than 1.30 is refused', (context) => {
  const { status, stderr } = helm(context, ['template', 'x', CHART, '--kube-version', '1.29.9'])
  expect(status).toBe(1)
  expect(stderr).toMatch(/requires kubeVersion: >=1\.30/)
})

test('sizes that contradict each other are left to the self-test, which says so', (context) => {
  expect(set(context, 'minSize=20,maxSize=10').status).toBe(0)
})

test('helm lint finds nothing, strictly', (context) => {
  const { status, stdout } = helm(context, ['lint', '--strict', '--quiet', CHART])
  expect({ status, stdout: stdout.trim() }).toEqual({ status: 0, stdout: '' })
})
