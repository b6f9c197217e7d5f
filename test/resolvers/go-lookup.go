// Looks names up with Go's own resolver. See lookup.ts for what it reads and writes.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
)

var resolver = net.Resolver{PreferGo: true}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		kind, name, isQuestion := strings.Cut(lines.Text(), " ")
		if !isQuestion {
			continue
		}
		canonical, found, err := lookUp(kind, name)
		status := "ok"
		if err != nil {
			status, canonical, found = word(err), "", nil
		}
		fmt.Printf("%s\t%s\t%s\t%s\t%s\n", kind, name, status, canonical, strings.Join(found, ","))
	}
}

func lookUp(kind, name string) (canonical string, found []string, err error) {
	context := context.Background()
	switch kind {
	case "A", "AAAA", "BOTH":
		network := map[string]string{"A": "ip4", "AAAA": "ip6", "BOTH": "ip"}[kind]
		addresses, err := resolver.LookupNetIP(context, network, name)
		for _, address := range addresses {
			found = append(found, address.Unmap().String())
		}
		return "", found, err
	case "HOST":
		canonical, err = resolver.LookupCNAME(context, name)
		return strings.TrimSuffix(canonical, "."), nil, err
	case "SRV":
		_, records, err := resolver.LookupSRV(context, "", "", name)
		for _, record := range records {
			found = append(found, strings.TrimSuffix(record.Target, "."))
		}
		return "", found, err
	case "MX":
		records, err := resolver.LookupMX(context, name)
		for _, record := range records {
			found = append(found, strings.TrimSuffix(record.Host, "."))
		}
		return "", found, err
	}
	return "", nil, errors.New("unknown kind")
}

func word(err error) string {
	var failure *net.DNSError
	switch {
	case !errors.As(err, &failure):
		return "FAIL"
	case failure.IsNotFound:
		return "NONAME"
	case failure.IsTimeout:
		return "TIMEOUT"
	case failure.IsTemporary:
		return "AGAIN"
	}
	return "FAIL"
}
