package config

// ListenTLS is HTTPS for clients.
type ListenTLS struct {
	// Address is host:port for HTTPS. It cannot be that of plain HTTP. Default ":8443".
	Address string `yaml:"address"`
	// Certificates are the certificates with their keys. A client gets the first one that is good for the name it asks for
	// (server name indication), or the first of all. At least one is required. The files are watched: a new pair that can be
	// used takes the place of the old one for new connections, any other is reported and changes nothing.
	Certificates []Certificate `yaml:"certificates,omitempty"`
	// MinVersion is the lowest version of TLS, "1.2" or "1.3". Default "1.2".
	MinVersion string `yaml:"min_version"`
	// ClientCAFile is the path of PEM certificates of the authorities that client certificates must come from. Default:
	// none, clients are not asked for a certificate.
	ClientCAFile string `yaml:"client_ca_file,omitempty"`
	// ClientAuth is "require" (a client without a good certificate is refused) or "optional" (it may come without one, but
	// not with a bad one). Needs client_ca_file. Default "require".
	ClientAuth string `yaml:"client_auth,omitempty"`
}

// Certificate is a certificate chain with its key.
type Certificate struct {
	// CertFile is the path of the PEM certificate chain, the server's own first. Required.
	CertFile string `yaml:"cert_file"`
	// KeyFile is the path of the PEM private key. Required.
	KeyFile string `yaml:"key_file"`
}

// VariantTLS is HTTPS to the endpoints of a variant.
type VariantTLS struct {
	// ServerName is the name that is asked for and that the certificate must be good for. Default: the host of the endpoint
	// as it is written.
	ServerName string `yaml:"server_name,omitempty"`
	// CAFile is the path of PEM certificates of the authorities that are trusted. Default: those of the system.
	CAFile string `yaml:"ca_file,omitempty"`
	// CertFile is the path of the PEM certificate chain that Haldane shows. It goes with key_file. Default: none.
	CertFile string `yaml:"cert_file,omitempty"`
	// KeyFile is the path of the PEM private key for cert_file.
	KeyFile string `yaml:"key_file,omitempty"`
	// InsecureSkipVerify takes any certificate: whoever can answer in the endpoint's place can read and change everything.
	// Excludes ca_file. Default false.
	InsecureSkipVerify bool `yaml:"insecure_skip_verify"`
}
