import { decodeClixmlValue } from "../../../provider/remoting/clixml/decode";
import { decodeErrorRecord, type RemoteException } from "../../../provider/remoting/psrp/errorRecord";

it("a chain of exceptions that references make as long as one likes is read to a depth", () => {
  const links = Array.from(
    { length: 9_000 },
    (_value, index) =>
      `<Obj N="E${index}" RefId="${index}"><MS><S N="Message">e${index}</S>` +
      `${index === 0 ? "" : `<Ref N="InnerException" RefId="${index - 1}"/>`}</MS></Obj>`,
  );
  const record = decodeErrorRecord(
    decodeClixmlValue(`<Obj><MS>${links.join("")}<Ref N="Exception" RefId="8999"/></MS></Obj>`),
  );
  expect(record.message).toBe("e8999");
  let depth = 0;
  for (let one: RemoteException | undefined = record.exception; one !== undefined; one = one.inner) depth++;
  expect(depth).toBe(33);
});
