/** The map of that key, made when it isn't there yet: what concerns one server is never looked for in all. */
export function entryOf<Key, K, V>(maps: Map<Key, Map<K, V>>, key: Key): Map<K, V> {
  const found = maps.get(key) ?? new Map<K, V>();
  maps.set(key, found);
  return found;
}
