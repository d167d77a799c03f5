package cli

import (
	"context"
	"io"
)

// ask sends one request to the running Haldane and prints the answer: as it came, or as the table that is made of it. Those who
// look are shown it as well.
func ask[T any](c *connection, request func(*client) ([]byte, error), table func(io.Writer, *client, *T) error, look ...func(*T)) error {
	api, err := c.open()
	if err != nil {
		return err
	}
	defer api.close()
	answer, err := request(api)
	if err != nil {
		return err
	}
	var content T
	if err := api.decode(answer, &content); err != nil {
		return err
	}
	for _, one := range look {
		one(&content)
	}
	return c.write(answer, func(w io.Writer) error { return table(w, api, &content) })
}

// get is ask for what is at a path.
func get[T any](ctx context.Context, c *connection, path string, table func(io.Writer, *client, *T) error, look ...func(*T)) error {
	return ask(c, func(api *client) ([]byte, error) { return api.get(ctx, path) }, table, look...)
}

// post is ask for what became of an order.
func post[T any](ctx context.Context, c *connection, path string, o order, table func(io.Writer, *T) error) error {
	o.Actor = c.env.actor
	return ask(c, func(api *client) ([]byte, error) { return api.post(ctx, path, o) },
		func(w io.Writer, _ *client, content *T) error { return table(w, content) })
}
