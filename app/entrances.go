package app

import (
	"errors"
	"fmt"
	"net"
	"os"

	"go.uber.org/zap"

	"haldane/admin"
	"haldane/app/handover"
	"haldane/app/systemd"
	"haldane/config"
	"haldane/proxy"
	"haldane/proxy/listen"
)

// What a listening socket is for, as service managers and hand-overs call it.
const (
	socketHTTP   = "http"
	socketHTTPS  = "https"
	socketAdmin  = "admin"
	socketOrders = "admin-socket"
)

// anyAddress stands for the address of a socket that a service manager opened: what the file says does not count for it.
const anyAddress = "*"

// inherited are open sockets that this process did not open: a service manager did, or the process it takes over from.
type inherited struct{ sockets []handover.Socket }

// inherit takes over what the service manager opened.
func inherit(getenv func(string) (string, bool)) (*inherited, error) {
	i := &inherited{}
	if getenv == nil {
		return i, nil
	}
	opened, err := systemd.Sockets(getenv, os.Getpid(), socketHTTP, socketHTTPS, socketAdmin)
	if err != nil {
		return nil, err
	}
	for _, s := range opened {
		if _, unix := s.Listener.(*net.UnixListener); unix && s.Name == socketAdmin {
			s.Name = socketOrders
		}
		i.sockets = append(i.sockets, handover.Socket{Name: s.Name, Address: anyAddress, Listener: s.Listener})
	}
	return i, nil
}

// take takes the sockets of a name that listen where the file says. given are the addresses they were opened for.
func (i *inherited) take(name, address string) (taken []handover.Socket) {
	var left []handover.Socket
	for _, s := range i.sockets {
		if s.Name == name && (s.Address == anyAddress || s.Address == address) {
			taken = append(taken, s)
		} else {
			left = append(left, s)
		}
	}
	i.sockets = left
	return taken
}

// takeOne takes at most one.
func (i *inherited) takeOne(name, address string) net.Listener {
	taken := i.take(name, address)
	if len(taken) == 0 {
		return nil
	}
	i.sockets = append(i.sockets, taken[1:]...)
	return taken[0].Listener
}

// enter opens the entrances for clients, those that were not inherited.
func (a *App) enter(cfg *config.Config) error {
	plain, err := a.openEntrance(socketHTTP, cfg.Listen.Address, cfg.Listen)
	if err != nil {
		return fmt.Errorf("listen for clients: %w", err)
	}
	for _, s := range plain {
		a.entrances = append(a.entrances, proxy.Entrance{Listener: s.Listener})
	}
	if cfg.Listen.TLS == nil {
		if left := a.inherited.take(socketHTTPS, anyAddress); len(left) > 0 {
			return errors.Join(errors.New("there is a socket for https, and no listen.tls with certificates for it"), handover.Close(left))
		}
		return nil
	}
	if a.keychain, err = listen.NewKeychain(*cfg.Listen.TLS); err != nil {
		return fmt.Errorf("certificates for clients: %w", err)
	}
	secured, err := a.openEntrance(socketHTTPS, cfg.Listen.TLS.Address, cfg.Listen)
	if err != nil {
		return fmt.Errorf("listen for clients over TLS: %w", err)
	}
	a.secured = secured[0].Listener.Addr()
	for _, s := range secured {
		a.entrances = append(a.entrances, proxy.Entrance{Listener: s.Listener, TLS: a.keychain.Config()})
	}
	return nil
}

// openEntrance inherits the sockets of one entrance, or opens one.
func (a *App) openEntrance(name, address string, settings config.Listen) ([]handover.Socket, error) {
	sockets := a.inherited.take(name, address)
	if len(sockets) == 0 {
		sharing := listen.Alone
		if settings.ReusePort {
			sharing = listen.Shared
		}
		listener, err := listen.Open(address, sharing)
		if err != nil {
			return nil, err
		}
		sockets = []handover.Socket{{Name: name, Address: address, Listener: listener}}
	}
	for _, s := range sockets {
		a.sockets = append(a.sockets, s)
		a.closers.add("listener for "+name, func() error {
			_ = s.Listener.Close() // the proxy has closed it when it ran
			return nil
		})
	}
	return sockets, nil
}

// adminListeners are the inherited listeners of the admin side.
func (a *App) adminListeners(cfg config.Admin) admin.Listeners {
	var l admin.Listeners
	if cfg.Address != config.Off {
		l.TCP = a.inherited.takeOne(socketAdmin, cfg.Address)
	}
	if cfg.Socket != config.Off {
		l.Socket = a.inherited.takeOne(socketOrders, cfg.Socket)
	}
	return l
}

// allSockets are all listening sockets of the process, for the one that takes over.
func (a *App) allSockets() []handover.Socket {
	all := append([]handover.Socket(nil), a.sockets...)
	open := a.admin.Listeners()
	if open.TCP != nil {
		all = append(all, handover.Socket{Name: socketAdmin, Address: a.started.Admin.Address, Listener: open.TCP})
	}
	if open.Socket != nil {
		all = append(all, handover.Socket{Name: socketOrders, Address: a.started.Admin.Socket, Listener: open.Socket})
	}
	return all
}

// proxyOptions is what the proxy needs to know about those in front of it.
func (a *App) proxyOptions(cfg *config.Config) (proxy.Options, error) {
	balancers, err := listen.ParseNetworks(cfg.Listen.ProxyProtocol)
	if err != nil {
		return proxy.Options{}, fmt.Errorf("listen.proxy_protocol: %w", err)
	}
	trusted, err := listen.ParseNetworks(cfg.Listen.TrustedProxies)
	if err != nil {
		return proxy.Options{}, fmt.Errorf("listen.trusted_proxies: %w", err)
	}
	return proxy.Options{
		Logger:         a.logger.Named("proxy"),
		AccessLogger:   a.logger.Named("access"),
		ProxyProtocol:  balancers,
		TrustedProxies: trusted,
		Capacity:       a.capacity(cfg.Limits.Connections),
	}, nil
}

// certificateChanged reports what became of a changed file. The error never holds any of a key.
func (a *App) certificateChanged(file string, err error) {
	if err != nil {
		a.logger.Error("a changed certificate cannot be used, the old one stays", zap.String("file", file), zap.Error(err))
		return
	}
	a.logger.Info("certificate renewed", zap.String("file", file))
}

// securedField is how the log calls the address for TLS, if there is one.
func (a *App) securedField() zap.Field {
	if a.secured == nil {
		return zap.Skip()
	}
	return zap.Stringer("tls_address", a.secured)
}
