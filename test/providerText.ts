/**
 * The text that every state holds as `__provider`, from the first release on. Written out here once more on purpose: a
 * state made by an older version has to work with whatever this package makes of it.
 */
export const PROVIDER_TEXT = 'exports.handler = () => require("pulumi-exchange-certificates/provider");';
