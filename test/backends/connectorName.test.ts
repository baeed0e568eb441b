import { sameConnectorName, tlsCertificateNameOf } from "../../provider/backends/connectorName";

const NAME = tlsCertificateNameOf({ issuer: "CN=Contoso CA, O=Contoso", subject: "CN=mail.contoso.com, O=Contoso" });

it("is the issuer and the subject", () => {
  expect(NAME).toBe("<I>CN=Contoso CA, O=Contoso<S>CN=mail.contoso.com, O=Contoso");
});

it.each<[string, string]>([
  ["in another case", NAME.toUpperCase()],
  ["without blanks after commas", NAME.replaceAll(", ", ",")],
  ["with more blanks", ` ${NAME.replaceAll(", ", " ,  ")} `],
])("means the same %s", (_how, other) => {
  expect(sameConnectorName(NAME, other)).toBe(true);
});

it.each<[string, string]>([
  ["another issuer", NAME.replace("Contoso CA", "Other CA")],
  ["another subject", NAME.replace("mail", "owa")],
  ["a blank inside of a name", NAME.replace("Contoso CA", "ContosoCA")],
])("means another one with %s", (_how, other) => {
  expect(sameConnectorName(NAME, other)).toBe(false);
});
