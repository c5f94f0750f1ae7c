"""What tests and tools upload: certificates of the tests, and metadata of SAML providers."""

import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
CERTIFICATES = ROOT / "crates" / "testkit" / "src" / "certificates"


def text(name):
    """A file among the certificates."""
    return (CERTIFICATES / name).read_text()


def saml(name):
    """Metadata of a SAML provider."""
    found = "".join(line for line in text("rsa.pem").splitlines() if "-" not in line)
    return (
        f'<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://{name}.example.com" '
        'validUntil="2099-01-02T03:04:05Z">'
        '<IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">'
        '<KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data>'
        f"<X509Certificate>{found}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>"
        '<SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" '
        f'Location="https://{name}.example.com/sso"/></IDPSSODescriptor></EntityDescriptor>'
    )
