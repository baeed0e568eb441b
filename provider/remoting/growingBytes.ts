/**
 * Bytes that come in pieces of any size. What it holds is never more than twice what has come, however small the
 * pieces were, and no more room is made than for what is there: a length that is only announced costs nothing.
 */
export class GrowingBytes {
  #bytes = new Uint8Array();
  #length = 0;

  get length(): number {
    return this.#length;
  }

  append(piece: Uint8Array): void {
    const length = this.#length + piece.length;
    if (length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(length, 2 * this.#length));
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    this.#bytes.set(piece, this.#length);
    this.#length = length;
  }

  /** Everything so far. Later pieces don't change it. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }
}
