import { type ExchangeBindingError, isBindingError } from "../provider/errors";
import { isRemotingError, type RemotingError } from "../provider/remoting/errors";

/** The error that it must fail with; any other kind goes through. */
export const bindingFailure = (work: Promise<unknown>): Promise<ExchangeBindingError> => failure(work, isBindingError);

export const remotingFailure = (work: Promise<unknown>): Promise<RemotingError> =>
  failure(work, (error) => isRemotingError(error));

async function failure<E>(work: Promise<unknown>, isExpected: (error: unknown) => error is E): Promise<E> {
  try {
    await work;
  } catch (error) {
    if (isExpected(error)) return error;
    throw error;
  }
  throw new Error("it didn't fail");
}
