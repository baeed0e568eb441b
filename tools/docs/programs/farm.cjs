const { ExchangeCertificateBinding } = require("pulumi-exchange-certificates");

exports.bindings = ["ex01.contoso.com", "ex02.contoso.com"].map(
  (server) =>
    new ExchangeCertificateBinding(`mail-${server.split(".")[0]}`, {
      server,
      certificate: { pfxFile: "mail.pfx", passwordEnv: "MAIL_PFX_PASSWORD" },
      services: ["IIS", "SMTP"],
    }),
);
