package peers

import (
	"fmt"
	"os"
	"strings"
)

// prepareHAProxy is what its manual proposes: servers with weights, a cookie that it inserts and takes away again, and
// use-server for the field. It counts per server by itself. Without strict limits it starts where fewer descriptors are allowed
// than it would need for so many clients with an endpoint each.
func prepareHAProxy(at place, _ string) launch {
	secure, pem := "", ""
	files := map[string]string{}
	if at.Certificate != "" {
		secure = fmt.Sprintf("  bind %v ssl crt %s/both.pem alpn http/1.1 ciphersuites TLS_AES_128_GCM_SHA256\n", at.secure, at.dir)
		pem = bothOf(at)
		files["both.pem"] = pem
	}
	files["haproxy.cfg"] = fmt.Sprintf(`global
  nbthread %d
  maxconn %d
  no strict-limits
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout tunnel 1h
  timeout http-keep-alive 60s
  http-reuse always
frontend clients
  bind %v
%s  option forwardfor
  http-request set-header X-Forwarded-Proto https if { ssl_fc }
  http-request set-header X-Forwarded-Proto http unless { ssl_fc }
  default_backend shop
backend shop
  balance roundrobin
  cookie SRV insert indirect nocache
  use-server v1 if { req.hdr(X-Version) -m str v1 }
  use-server v2 if { req.hdr(X-Version) -m str v2 }
  server v1 %v weight %d cookie v1
  server v2 %v weight %d cookie v2
frontend numbers
  bind %v
  http-request use-service prometheus-exporter if { path /metrics }
`, len(at.Cores), clients, at.plain, secure, at.V1, 100-Share, at.V2, Share, at.admin)
	return launch{arguments: []string{"-db", "-f", at.dir + "/haproxy.cfg"}, files: files}
}

// bothOf is certificate and key in one file.
func bothOf(at place) string {
	var b strings.Builder
	for _, path := range []string{at.Certificate, at.Key} {
		text, err := os.ReadFile(path)
		if err != nil {
			return err.Error() // HAProxy says that this is no certificate
		}
		b.Write(text)
	}
	return b.String()
}

// nginxText is the configuration, with places for what prepareNginx fills in.
const nginxText = `%sdaemon off;
worker_processes %d;
worker_rlimit_nofile %d;
pid %s/nginx.pid;
error_log %s/error.log warn;
events { worker_connections %d; }
http {
  access_log off;
  client_body_temp_path %[4]s/body;
  proxy_temp_path %[4]s/proxy;
  fastcgi_temp_path %[4]s/fastcgi;
  uwsgi_temp_path %[4]s/uwsgi;
  scgi_temp_path %[4]s/scgi;
  keepalive_requests 1000000000;
  client_max_body_size 0;
  upstream v1 { server %[7]v; keepalive 256; keepalive_requests 1000000000; }
  upstream v2 { server %[8]v; keepalive 256; keepalive_requests 1000000000; }
  split_clients "$uid_got$uid_set" $drawn { %[9]d%% v2; * v1; }
  map $http_x_version $variant { v1 v1; v2 v2; default $drawn; }
  map $http_upgrade $hop { default upgrade; "" ""; }
  server {
    listen %[10]v;
%[11]s    userid on;
    userid_name uid;
    proxy_http_version 1.1;
    proxy_request_buffering off;
    proxy_max_temp_file_size 0;
    proxy_set_header Host $host;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $hop;
    location / {
      proxy_pass http://$variant;
    }
  }
  server {
    listen %[12]v;
    location = /metrics { stub_status; }
  }
}
`

// prepareNginx splits by a cookie that it issues, and passes uploads on as they come, as the others do. It counts requests, but
// not per variant: that would take a module, or its access log.
func prepareNginx(at place, _ string) launch {
	secure := ""
	if at.Certificate != "" {
		secure = fmt.Sprintf("    listen %v ssl;\n    ssl_certificate %s;\n    ssl_certificate_key %s;\n"+
			"    ssl_protocols TLSv1.3;\n    ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;\n", at.secure, at.Certificate, at.Key)
	}
	user := ""
	if os.Geteuid() == 0 {
		user = "user root;\n" // or its worker could not write to its folder
	}
	text := fmt.Sprintf(nginxText, user, len(at.Cores), 2*clients, at.dir, at.dir, 2*clients, at.V1, at.V2, Share, at.plain, secure, at.admin)
	return launch{arguments: []string{"-p", at.dir, "-c", at.dir + "/nginx.conf"}, files: map[string]string{"nginx.conf": text}}
}
