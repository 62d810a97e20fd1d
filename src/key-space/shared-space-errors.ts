/** Thrown while nobody may deal unique keys, until a rotation. */
export class Fenced extends Error {
  override readonly name = 'Fenced'
}

/** Thrown when somebody else was first at every try. */
export class Contended extends Error {
  override readonly name = 'Contended'
}
