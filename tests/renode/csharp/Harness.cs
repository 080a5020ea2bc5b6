// Builds the board that the platform description asks for and does what standard input says, a line a step; answers with a
// line each. Reset-like settings of the real machine (a reset of everything at the end of a quantum) happen in `advance`.
using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using Antmicro.Renode.Core;
using Antmicro.Renode.Core.Structure;
using Antmicro.Renode.Logging;
using Antmicro.Renode.Peripherals;
using Antmicro.Renode.Peripherals.Bus;
using Antmicro.Renode.Peripherals.SPI;
using Antmicro.Renode.Peripherals.UART;

public static class Harness
{
    public static void Main()
    {
        string line;
        while((line = Console.ReadLine()) != null)
        {
            try { Console.WriteLine(Do(line.Split(' '))); }
            catch(Exception e) { Console.WriteLine("error " + (e.InnerException ?? e).Message.Replace('\n', ' ')); }
        }
    }

    private static string Do(string[] word)
    {
        switch(word[0])
        {
        case "create": Create(word); return "ok";
        case "connect": Connect(word); return "ok";
        case "device": ((SimpleContainer<ISPIPeripheral>)parts[word[1]]).Register(new Device(), int.Parse(word[2])); return "ok";
        case "write": At(word[1], (part, offset) => { part.WriteDoubleWord(offset, Number(word[2])); return 0; }); return "ok";
        case "read": return At(word[1], (part, offset) => part.ReadDoubleWord(offset)).ToString();
        case "advance": Advance(ulong.Parse(word[1])); return "ok";
        case "execute": machine.Ahead += ulong.Parse(word[1]); return "ok";
        case "receive":
            foreach(var value in word.Skip(2)) { ((UARTBase)parts[word[1]]).WriteChar((byte)Number(value)); }
            return "ok";
        case "sent":
            var bytes = string.Join(" ", sent[word[1]].Select(b => b.ToString("x2")));
            sent[word[1]].Clear();
            return bytes;
        case "call": return Call(word);
        case "log":
            var lines = string.Join("; ", Logger.Lines);
            Logger.Lines.Clear();
            return lines;
        default: return "error unknown step " + word[0];
        }
    }

    // create NAME CLASS ADDRESS[,ADDRESS...] KEY=VALUE...
    private static void Create(string[] word)
    {
        var type = typeof(Harness).Assembly.GetType("Antmicro.Renode.Peripherals." + word[2], true);
        var given = word.Skip(4).Select(pair => pair.Split('=')).ToDictionary(pair => pair[0], pair => pair[1]);
        var constructor = type.GetConstructors().Single();
        var names = constructor.GetParameters().Select(p => p.Name).ToList();
        var unknown = given.Keys.FirstOrDefault(name => !names.Contains(name));
        if(unknown != null) { throw new ArgumentException(type.Name + " has no parameter " + unknown); }
        var arguments = constructor.GetParameters().Select(p => p.ParameterType == typeof(IMachine) ? machine
            : !given.ContainsKey(p.Name) ? p.HasDefaultValue ? p.DefaultValue : throw new ArgumentException(type.Name + " needs " + p.Name)
            : typeof(IPeripheral).IsAssignableFrom(p.ParameterType) ? parts[given[p.Name]]
            : Convert.ChangeType(given[p.Name], p.ParameterType)).ToArray();
        var part = (IPeripheral)constructor.Invoke(arguments);
        parts[word[1]] = part;
        addresses[word[1]] = word[3].Split(',').Select(Number).ToArray();
        if(part is UARTBase)
        {
            sent[word[1]] = new List<byte>();
            ((UARTBase)part).CharReceived += sent[word[1]].Add;
        }
    }

    // connect SOURCE NUMBER DESTINATION NUMBER; - for the only output
    private static void Connect(string[] word)
    {
        var output = word[2] == "-"
            ? (IGPIO)parts[word[1]].GetType().GetProperties().Single(p => p.PropertyType == typeof(GPIO)).GetValue(parts[word[1]], null)
            : ((INumberedGPIOOutput)parts[word[1]]).Connections[int.Parse(word[2])];
        if(parts.ContainsKey(word[3])) { output.Connect((IGPIOReceiver)parts[word[3]], int.Parse(word[4])); }
    }

    private static string Call(string[] word)
    {
        var type = parts[word[1]].GetType();
        var property = type.GetProperty(word[2]);
        if(property != null) { return Convert.ToString(property.GetValue(parts[word[1]], null)); }
        type.GetMethod(word[2]).Invoke(parts[word[1]], word.Skip(3).Select(argument => (object)int.Parse(argument)).ToArray());
        return "ok";
    }

    private static void Advance(ulong nanoseconds)
    {
        machine.Advance(nanoseconds);
        if(machine.ResetRequested)
        {
            machine.ResetRequested = false;
            foreach(var part in parts.Values) { part.Reset(); }
        }
    }

    private static uint At(string where, Func<IDoubleWordPeripheral, long, uint> act)
    {
        var at = Number(where);
        foreach(var part in parts.Where(p => p.Value is IDoubleWordPeripheral))
        {
            foreach(var address in addresses[part.Key])
            {
                var offset = (long)at - address;
                if(offset >= 0 && offset < ((IKnownSize)part.Value).Size) { return act((IDoubleWordPeripheral)part.Value, offset); }
            }
        }
        throw new ArgumentException("nothing at 0x" + at.ToString("x"));
    }

    private static uint Number(string text)
    {
        return text.StartsWith("0x") ? uint.Parse(text.Substring(2), NumberStyles.HexNumber) : uint.Parse(text);
    }

    private static readonly Machine machine = new Machine();
    private static readonly Dictionary<string, IPeripheral> parts = new Dictionary<string, IPeripheral>();
    private static readonly Dictionary<string, uint[]> addresses = new Dictionary<string, uint[]>();
    private static readonly Dictionary<string, List<byte>> sent = new Dictionary<string, List<byte>>();

    // Identity register 0x0F as of an LSM6DSO; 0x20 has the virtual time in ms; the others hold what was written.
    private class Device : ISPIPeripheral
    {
        public Device() { registers[0x0F] = 0x6C; }

        public byte Transmit(byte data)
        {
            if(address < 0)
            {
                address = data;
                return 0;
            }
            var at = address++ & 0x7F;
            if(at == 0x20) { return (byte)(machine.Nanoseconds / 1000000); }
            if((address & 0x80) != 0 || at == 0x7F) { return registers[at]; }
            registers[at] = data;
            return 0;
        }

        public void FinishTransmission() { address = -1; }
        public void Reset() { address = -1; }

        private int address = -1;
        private readonly byte[] registers = new byte[128];
    }
}
